/** The mermaid blocks of a Markdown page: the line they begin in, and their text; without text if the end is missing. */
export function* pictures(text) {
  const lines = text.split("\n");
  let start = -1;
  for (const [index, line] of lines.entries()) {
    if (start < 0 && line.trim() === "```mermaid") start = index + 1;
    else if (start >= 0 && line.trim() === "```") {
      yield { line: start + 1, text: lines.slice(start, index).join("\n") };
      start = -1;
    }
  }
  if (start >= 0) yield { line: start + 1, text: undefined };
}
