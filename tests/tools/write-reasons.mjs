/** Writes docs/reasons.md and docs/reference/events.md from the pages of `edged explain`. */
import fs from 'node:fs';
import { eventsMarkdown, reasonsMarkdown } from 'edged/explanations/markdown';

const write = (name, text) =>
  fs.writeFileSync(new URL(`../../docs/${name}`, import.meta.url), text);
write('reasons.md', reasonsMarkdown());
write('reference/events.md', eventsMarkdown());
