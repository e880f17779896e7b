/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events from pieces of text (HTML standard, 9.2.6): lines end in LF, CR or CRLF, an empty line ends
 * an event, a line that begins with a colon is a heartbeat. Knows nothing of networks. */

/** Returns a function that takes the next piece of text and returns the events that it completes:
 * [{type, data, id}]. */
export function eventReader() {
  let rest = "";
  let data = [];
  let type = "";
  let id = "";
  let after_cr = false;

  const take = (line, found) => {
    if (line === "") {
      if (data.length) found.push({ type: type || "message", data: data.join("\n"), id });
      data = [];
      type = "";
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") type = value;
    else if (field === "id") id = value;
  };

  return (text) => {
    const found = [];
    if (after_cr && text.startsWith("\n")) text = text.slice(1);
    if (text) after_cr = text.endsWith("\r");
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop();
    for (const line of lines) take(line, found);
    return found;
  };
}
