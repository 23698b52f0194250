" Vim filetype plugin file
" Language: wfc, business processes (.wf)

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:///,:// commentstring=//\ %s
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal formatoptions-=t formatoptions+=croql
setlocal suffixesadd=.wf formatexpr=wfc#formatexpr()
compiler wfc

command! -buffer -bar WfcFmt call wfc#format()

let b:undo_ftplugin = 'setl com< cms< et< sw< sts< fo< sua< fex< mp< efm< | sil! delc WfcFmt'
