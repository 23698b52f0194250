" What the files for wfc share.

" wfc counts columns in characters, Vim in bytes. They differ behind a character that is not ASCII.
function! wfc#columns() abort
  let l:list = getqflist()
  let l:changed = 0
  for l:item in l:list
    if !l:item.valid || !l:item.bufnr || l:item.col < 2 || bufname(l:item.bufnr) !~# '\.wf$'
      continue
    endif
    let l:line = s:line(l:item.bufnr, l:item.lnum)
    if l:line !~# '[^\x00-\x7f]'
      continue
    endif
    let l:column = byteidx(l:line, l:item.col - 1) + 1
    if l:column > 0 && l:column != l:item.col
      let l:item.col = l:column
      let l:changed = 1
    endif
  endfor
  if l:changed
    call setqflist([], 'r', {'items': l:list})
  endif
endfunction

" A line of a file, as it is loaded or else as it lies on the disk.
function! s:line(buffer, number) abort
  if bufloaded(a:buffer)
    return get(getbufline(a:buffer, a:number), 0, '')
  endif
  let l:path = fnamemodify(bufname(a:buffer), ':p')
  return filereadable(l:path) ? get(readfile(l:path, '', a:number), a:number - 1, '') : ''
endfunction

" How far in a line stands: a step behind the brace that opens its block. A line that stands further in is a clause of
" the one above it, and stays.
function! wfc#indent(number) abort
  call cursor(a:number, 1)
  let l:open = searchpair('{', '', '}', 'bnW', 's:is_text()')
  let l:outer = l:open ? indent(l:open) : -shiftwidth()
  let l:line = getline(a:number)
  if l:line =~# '^\s*}'
    return max([l:outer, 0])
  endif
  let l:inner = l:outer + shiftwidth()
  return l:line =~# '\S' ? max([l:inner, indent(a:number)]) : l:inner
endfunction

" Whether the cursor is in a text or a comment.
function! s:is_text() abort
  return synIDattr(synID(line('.'), col('.'), 1), 'name') =~# '^wf\%(Text\|Comment\|Documentation\|Escape\|Insertion\)$'
endfunction
