// Bars as SVG: one group for each table, one bar for each row, each as long as its ratio.
const [left, right, barHeight, step] = [260, 90, 14, 20];
const width = 760;
const ink = { text: '#57606a', ours: '#0969da', others: '#afb8c1' };

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** `tables`: [{ title, rows: [{ name, value, ratio }], unit }]. Ours are the names with `edged`. */
export function plot(tables) {
  let y = 10;
  const parts = tables.flatMap(({ title, rows, unit }) => {
    const longest = Math.max(...rows.map(({ value }) => value));
    y += 18;
    const heading = `<text x="10" y="${y}" font-weight="bold">${escape(title)}</text>`;
    const bars = rows.map(({ name, value, ratio }) => {
      y += step;
      const length = ((width - left - right) * value) / longest;
      const fill = name.includes('edged') ? ink.ours : ink.others;
      return (
        `<text x="${left - 8}" y="${y}" text-anchor="end">${escape(name)}</text>` +
        `<rect x="${left}" y="${y - barHeight + 3}" width="${length.toFixed(1)}" ` +
        `height="${barHeight}" fill="${fill}"/>` +
        `<text x="${(left + length + 6).toFixed(1)}" y="${y}">` +
        `${value.toFixed(1)} ${unit} · ${ratio}</text>`
      );
    });
    y += 14;
    return [heading, ...bars];
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ` +
    `font-family="system-ui, sans-serif" font-size="12" fill="${ink.text}">\n` +
    `${parts.join('\n')}\n</svg>\n`
  );
}
