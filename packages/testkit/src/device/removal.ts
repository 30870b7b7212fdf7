/** Removal of what a test made, even where it took rights away that only root does without. */
import fs from 'node:fs';
import path from 'node:path';

/** Nothing there is no error. Never follows a symlink. */
export function removeTree(top: string): void {
  const remove = (): void => fs.rmSync(top, { recursive: true, force: true });
  try {
    remove();
  } catch {
    restoreRights(top);
    remove();
  }
}

/** A directory that its owner cannot read, write or enter cannot be emptied. */
function restoreRights(directory: string): void {
  if (!fs.lstatSync(directory).isDirectory()) return;
  fs.chmodSync(directory, 0o700);
  for (const name of fs.readdirSync(directory)) restoreRights(path.join(directory, name));
}
