/** A size for people, in powers of ten: `512 bytes`, `1.2 kB`, `740 MB`. */
export function sizeText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 'bytes';
  while (size >= 1000 && units.length > 0) {
    size /= 1000;
    unit = units.shift() ?? unit;
  }
  const digits = unit === 'bytes' || size >= 100 ? 0 : 1;
  return `${size.toFixed(digits)} ${unit}`;
}
