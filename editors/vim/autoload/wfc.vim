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

" Lays the buffer out as `wfc fmt` does. The cursor stays at its letter. What wfc refuses stays as it is.
function! wfc#format() abort
  let l:old = getline(1, '$')
  let l:said = tempname()
  let l:command = 'wfc fmt --color never --stdin-filename ' . shellescape(expand('%') ==# '' ? 'buffer.wf' : expand('%'))
  " Messages go to a file of their own: Vim would mix them with the text.
  let l:new = systemlist(l:command . ' - 2>' . shellescape(l:said), l:old + [''])
  let l:refused = v:shell_error
  let l:reasons = filereadable(l:said) ? readfile(l:said) : []
  call delete(l:said)
  if l:refused
    echohl ErrorMsg
    echomsg get(l:reasons, 0, 'wfc fmt ended with ' . l:refused)
    echohl None
    return
  endif
  call s:replace(l:old, empty(l:new) ? [''] : l:new)
endfunction

" For 'formatexpr': the whole buffer is laid out by wfc, a part of it (a comment, mostly) by Vim.
function! wfc#formatexpr() abort
  if mode() =~# '[iR]' || v:lnum != 1 || v:count != line('$')
    return 1
  endif
  call wfc#format()
  return 0
endfunction

" Changes only the lines between the first and the last that differ, so that marks and folds elsewhere stay.
function! s:replace(old, new) abort
  if a:old ==# a:new
    return
  endif
  let l:view = winsaveview()
  let l:letters = s:letters(join((l:view.lnum > 1 ? a:old[: l:view.lnum - 2] : []) + [strpart(getline('.'), 0, l:view.col)]))
  let [l:old, l:new] = [copy(a:old), copy(a:new)]
  while !empty(l:old) && !empty(l:new) && l:old[-1] ==# l:new[-1]
    call remove(l:old, -1)
    call remove(l:new, -1)
  endwhile
  let l:same = 0
  while l:same < min([len(l:old), len(l:new)]) && l:old[l:same] ==# l:new[l:same]
    let l:same += 1
  endwhile
  let [l:old, l:new] = [l:old[l:same :], l:new[l:same :]]
  let l:both = min([len(l:old), len(l:new)])
  if l:both
    call setline(l:same + 1, l:new[: l:both - 1])
  endif
  if len(l:new) > l:both
    call append(l:same + l:both, l:new[l:both :])
  elseif len(l:old) > l:both
    silent execute (l:same + l:both + 1) . ',' . (l:same + len(l:old)) . 'delete _'
  endif
  let [l:row, l:column] = [l:view.lnum, l:view.col]
  if l:row > l:same + len(l:old)
    let l:row += len(l:new) - len(l:old)
  elseif l:row > l:same
    " A layout changes nothing but the space between letters, so the cursor goes behind as many as before.
    let [l:row, l:column] = s:place(a:new, l:letters)
  endif
  let l:view.topline = max([1, l:view.topline + l:row - l:view.lnum])
  let [l:view.lnum, l:view.col, l:view.curswant] = [l:row, l:column, l:column]
  call winrestview(l:view)
endfunction

" How many bytes of a text are no space.
function! s:letters(text) abort
  return strlen(substitute(a:text, '\s', '', 'g'))
endfunction

" The line, and the column from 0, of the letter behind so many others.
function! s:place(lines, letters) abort
  let l:left = a:letters
  for l:row in range(1, len(a:lines))
    let l:line = a:lines[l:row - 1]
    let l:here = s:letters(l:line)
    if l:left < l:here
      let l:column = match(l:line, '\S')
      while s:letters(strpart(l:line, 0, l:column)) < l:left || strpart(l:line, l:column, 1) =~# '\s'
        let l:column += 1
      endwhile
      return [l:row, l:column]
    endif
    let l:left -= l:here
  endfor
  return [len(a:lines), 0]
endfunction
