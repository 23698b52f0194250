" Vim indent file
" Language: wfc, business processes (.wf)
"
" By braces; see wfc#indent.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=wfc#indent(v:lnum) indentkeys=0},o,O,!^F
setlocal autoindent

let b:undo_indent = 'setl inde< indk< ai<'
