" Vim compiler file
" Compiler: wfc check
"
" :make checks the project around the working folder, :make % this file alone.

if exists('current_compiler')
  finish
endif
let current_compiler = 'wfc'

if exists(':CompilerSet') != 2
  command -nargs=* CompilerSet setlocal <args>
endif

CompilerSet makeprg=wfc\ check\ --output-format\ concise\ --color\ never
" The kind, then the code in brackets and the message. What is not of this form is the summary, or a complaint about
" the command line.
CompilerSet errorformat=%E%f:%l:%c:\ error%m,%W%f:%l:%c:\ warning%m,%I%f:%l:%c:\ hint%m,%-G%.%#

augroup wfc_columns
  autocmd!
  autocmd QuickFixCmdPost make,cfile,cgetfile,cexpr,cgetexpr call wfc#columns()
augroup END
