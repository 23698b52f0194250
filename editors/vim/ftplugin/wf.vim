" Vim filetype plugin file
" Language: wfc, business processes (.wf)

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:///,:// commentstring=//\ %s
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal formatoptions-=t formatoptions+=croql
setlocal suffixesadd=.wf
compiler wfc

let b:undo_ftplugin = 'setl com< cms< et< sw< sts< fo< sua< mp< efm<'
