/** The manual pages that are shipped. The same sources give the same bytes. */
import { release } from 'edged/release';
import { configBody } from './config-5.ts';
import { edgedBody } from './edged-8.ts';
import { manifestBody } from './manifest-5.ts';
import { type ManualPage, type PageHead, manualPage } from './roff.ts';

export function manualPages(): readonly ManualPage[] {
  return [
    page('edged', 8, edgedBody()),
    page('edged.toml', 5, configBody()),
    page('edged-manifest', 5, manifestBody()),
  ];
}

function page(name: string, section: PageHead['section'], body: readonly string[]): ManualPage {
  const manual = section === 8 ? 'System Administration' : 'File Formats';
  const source = `edged ${release.version}`;
  return manualPage({ name, section, date: release.builtAt, source, manual }, body);
}
