;;; wfc-mode.el --- Major mode for business processes of wfc  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages

;;; Commentary:

;; Highlighting and indentation of .wf files, and `compile' with wfc.
;;
;; `M-x compile' in such a buffer offers `wfc check'; `next-error' goes from problem to problem.
;; `M-x wfc-format-buffer' lays the buffer out as `wfc fmt' does, `wfc-format-on-save-mode' before each save.

;;; Code:

(require 'compile)
(require 'seq)

(defgroup wfc nil
  "Business processes of wfc."
  :group 'languages)

(defcustom wfc-command "wfc"
  "The command that starts wfc."
  :type 'string)

(defcustom wfc-indent-offset 2
  "How far a block stands in."
  :type 'integer
  :safe #'integerp)

;; words: written by python -m wfc.devtools.generate
(defconst wfc--constants
  (regexp-opt
   '("false" "none" "true")
   'symbols))
(defconst wfc--operators
  (regexp-opt
   '("and" "else" "if" "in" "is" "not" "or" "then")
   'symbols))
(defconst wfc--declarations
  (regexp-opt
   '("activity" "const" "enum" "error" "event" "fn" "gateway" "import" "metric" "migration" "module" "policy"
     "query" "queue" "record" "resource" "scenario" "scope" "secret" "service" "state" "task" "type"
     "workflow")
   'symbols))
(defconst wfc--steps
  (regexp-opt
   '("audit" "await" "choose" "do" "done" "emit" "fail" "for" "let" "lock" "measure" "parallel" "repeat" "set"
     "settle" "start" "undo" "wait")
   'symbols))
(defconst wfc--clauses
  (regexp-opt
   '("advance" "after" "all" "also" "any" "as" "assign" "at" "backoff" "branch" "breaker" "buffered" "called"
     "cancels" "capacity" "catch" "compensate" "concurrency" "concurrently" "counter" "dead" "each" "every"
     "except" "exhausted" "expect" "extends" "factor" "failed" "failures" "first" "forever" "from" "gauge"
     "given" "hangs" "heartbeat" "histogram" "ignore" "irreversible" "jitter" "join" "keep" "key" "latest"
     "lease" "letter" "limit" "max" "most" "nothing" "of" "on" "only" "opens" "operator" "optional"
     "otherwise" "outgoing" "overall" "park" "parked" "path" "per" "pivot" "probes" "raises" "rank" "refuse"
     "retries" "returns" "send" "settled" "sla" "some" "stay" "supplies" "timeout" "times" "to" "transient"
     "try" "undone" "until" "var" "version" "view" "warn" "when" "where" "with" "within")
   'symbols))
;; end of words

(defun wfc--matcher (words)
  "Return a matcher of font lock for WORDS, a regular expression.
It leaves out members, which stand behind a dot, and names, which stand before
a colon."
  (lambda (limit)
    (let (found)
      (while (and (not found) (re-search-forward words limit t))
        (setq found (not (or (eq (char-before (match-beginning 0)) ?.)
                             (save-match-data (looking-at-p "[ \t]*:"))))))
      found)))

(defconst wfc-font-lock-keywords
  `((,(wfc--matcher wfc--constants) 0 font-lock-constant-face)
    (,(wfc--matcher wfc--operators) 0 font-lock-keyword-face)
    (,(wfc--matcher wfc--declarations) 0 font-lock-keyword-face)
    (,(wfc--matcher wfc--steps) 0 font-lock-keyword-face)
    (,(wfc--matcher wfc--clauses) 0 font-lock-keyword-face)
    ("@[A-Za-z_][A-Za-z0-9_]*" 0 font-lock-preprocessor-face)
    ("\\_<[0-9]+\\(?:\\.[0-9]+\\)?\\(?:%\\|[A-Za-z0-9]*\\_>\\)" 0 font-lock-constant-face)
    ("\\_<[A-Z][A-Za-z0-9_]*\\_>" 0 font-lock-type-face))
  "What `wfc-mode' highlights.")

(defvar wfc-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?/ ". 12" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (modify-syntax-entry ?_ "_" table)
    (dolist (sign '(?+ ?- ?* ?< ?> ?= ?| ?? ?% ?@ ?& ?. ?, ?:))
      (modify-syntax-entry sign "." table))
    table)
  "The syntax of `wfc-mode'.")

(defun wfc--indentation ()
  "Return the column at which the line at point should begin, or nil to leave it.
That is a step behind the brace that opens its block.  A line that stands
further in is a clause of the one above it, and stays."
  (save-excursion
    (back-to-indentation)
    (let* ((state (syntax-ppss))
           (open (seq-find (lambda (place) (eq (char-after place) ?\{))
                           (reverse (nth 9 state))))
           (outer (if open
                      (save-excursion (goto-char open) (current-indentation))
                    (- wfc-indent-offset))))
      (cond ((nth 8 state) nil)
            ((eq (char-after) ?}) (max outer 0))
            ((eolp) (+ outer wfc-indent-offset))
            (t (max (+ outer wfc-indent-offset) (current-indentation)))))))

(defun wfc-indent-line ()
  "Indent the line at point by the braces around it."
  (interactive)
  (let ((column (wfc--indentation)))
    (when column
      (if (<= (current-column) (current-indentation))
          (indent-line-to column)
        (save-excursion (indent-line-to column))))))

;; What `compilation-mode' knows by itself finds the places; this tells hints from errors as well.
(defconst wfc-error-regexp
  '(wfc "^\\(.+?\\):\\([0-9]+\\):\\([0-9]+\\): \\(?:error\\|\\(warning\\)\\|\\(hint\\)\\)\\[[a-z0-9-]+\\]: "
        1 2 3 (4 . 5))
  "The lines of `wfc check', for `compilation-error-regexp-alist-alist'.")

(add-to-list 'compilation-error-regexp-alist-alist wfc-error-regexp)
(add-to-list 'compilation-error-regexp-alist 'wfc)

;;;###autoload
(defun wfc-format-buffer ()
  "Lay the buffer out as `wfc fmt' does.
Point and marks stay at their text.  What wfc refuses stays as it is, and the
echo area says why.  Return non-nil if the buffer is laid out."
  (interactive "*")
  (let ((source (current-buffer))
        (name (if buffer-file-name (file-relative-name buffer-file-name) "buffer.wf"))
        (program (split-string-and-unquote wfc-command))
        ;; Messages go to a file of their own, so that they do not mix with the text.
        (said (make-temp-file "wfc"))
        (coding-system-for-read 'utf-8-unix)
        (coding-system-for-write 'utf-8-unix))
    (unwind-protect
        (with-temp-buffer
          (let* ((new (current-buffer))
                 (status
                  (condition-case failed
                      (with-current-buffer source
                        (save-restriction
                          (widen)
                          (apply #'call-process-region nil nil (car program) nil (list new said) nil
                                 (append (cdr program)
                                         (list "fmt" "--color" "never" "--stdin-filename" name "-")))))
                    (error (error-message-string failed)))))
            (if (eq status 0)
                (with-current-buffer source
                  (save-restriction
                    (widen)
                    (replace-buffer-contents new 1))
                  t)
              (erase-buffer)
              (insert-file-contents said)
              (message "%s" (cond ((stringp status) status)
                                  ((= (point-min) (point-max)) (format "wfc fmt ended with %s" status))
                                  (t (buffer-substring (point-min) (line-end-position)))))
              nil)))
      (delete-file said))))

;;;###autoload
(define-minor-mode wfc-format-on-save-mode
  "Lay the buffer out before each save, unless wfc refuses it."
  :lighter nil
  (if wfc-format-on-save-mode
      (add-hook 'before-save-hook #'wfc-format-buffer nil t)
    (remove-hook 'before-save-hook #'wfc-format-buffer t)))

;;;###autoload
(define-derived-mode wfc-mode prog-mode "wfc"
  "Major mode for business processes of wfc."
  (setq-local comment-start "// ")
  (setq-local comment-end "")
  (setq-local comment-start-skip "//+\\s-*")
  (setq-local font-lock-defaults '(wfc-font-lock-keywords))
  (setq-local indent-line-function #'wfc-indent-line)
  (setq-local indent-tabs-mode nil)
  ;; wfc counts characters, not the cells of a screen.
  (setq-local compilation-error-screen-columns nil)
  (unless (or (file-exists-p "makefile") (file-exists-p "Makefile"))
    (setq-local compile-command (concat wfc-command " check --output-format concise --color never"))))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.wf\\'" . wfc-mode))

(provide 'wfc-mode)

;;; wfc-mode.el ends here
