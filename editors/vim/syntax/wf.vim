" Vim syntax file
" Language: wfc, business processes (.wf)

if exists('b:current_syntax')
  finish
endif

syn case match
syn iskeyword @,48-57,_

syn match wfSign /->\|=>\|[=!<>]=\|??\|?\.\|[-+*/<>=|?]/
syn match wfNumber /\<\d\+\%(\.\d\+\)\?\%(%\|\u\{3}\>\|\>\)/
syn match wfNumber /\<\%(\d\+\%(ms\|[smhdw]\)\)\+\>/
syn match wfType /\<\u\w*\>/

" words: written by python -m wfc.devtools.generate
syn match wfConstants /\%(\.\)\@1<!\<\%(false\|none\|true\)\>\%(\s*:\)\@!/
syn match wfOperators /\%(\.\)\@1<!\<\%(and\|else\|if\|in\|is\|not\|or\|then\)\>\%(\s*:\)\@!/
syn match wfDeclarations /\%(\.\)\@1<!\<\%(activity\|const\|enum\|error\|event\|fn\|gateway\|import\|metric\|migration\|module\|policy\|query\|queue\|record\|resource\|scenario\|scope\|secret\|service\|state\|task\|type\|workflow\)\>\%(\s*:\)\@!/
syn match wfSteps /\%(\.\)\@1<!\<\%(audit\|await\|choose\|do\|done\|emit\|fail\|for\|let\|lock\|measure\|parallel\|repeat\|set\|settle\|start\|undo\|wait\)\>\%(\s*:\)\@!/
syn match wfClauses /\%(\.\)\@1<!\<\%(advance\|after\|all\|also\|any\|as\|assign\|at\|backoff\|branch\|breaker\|buffered\|called\|cancels\|capacity\|catch\|compensate\|concurrency\|concurrently\|counter\|dead\|each\|every\|except\|exhausted\|expect\|extends\|factor\|failed\|failures\|first\|forever\|from\|gauge\|given\|hangs\|heartbeat\|histogram\|ignore\|irreversible\|jitter\|join\|keep\|key\|latest\|lease\|letter\|limit\|max\|most\|nothing\|of\|on\|only\|opens\|operator\|optional\|otherwise\|outgoing\|overall\|park\|parked\|path\|per\|pivot\|probes\|raises\|rank\|refuse\|retries\|returns\|send\|settled\|sla\|some\|stay\|supplies\|timeout\|times\|to\|transient\|try\|undone\|until\|var\|version\|view\|warn\|when\|where\|with\|within\)\>\%(\s*:\)\@!/
" end of words

syn match wfAnnotation /@\h\w*/
syn match wfEscape /\\\%(u{\x*}\|.\)/ contained
syn region wfInsertion matchgroup=wfEscape start=/{/ end=/}/ end=/\ze"/ oneline contained
      \ contains=wfSign,wfNumber,wfType,wfConstants,wfOperators
syn region wfText start=/"/ skip=/\\./ end=/"/ oneline contains=wfEscape,wfInsertion,@Spell
syn keyword wfTodo TODO FIXME XXX contained
syn match wfComment +//.*$+ contains=wfTodo,@Spell
syn match wfDocumentation +///.*$+ contains=wfTodo,@Spell

hi def link wfAnnotation PreProc
hi def link wfClauses Keyword
hi def link wfComment Comment
hi def link wfConstants Constant
hi def link wfDeclarations Structure
hi def link wfDocumentation SpecialComment
hi def link wfEscape SpecialChar
hi def link wfNumber Number
hi def link wfOperators Operator
hi def link wfSign Operator
hi def link wfSteps Statement
hi def link wfText String
hi def link wfTodo Todo
hi def link wfType Type

syn sync minlines=50

let b:current_syntax = 'wf'
