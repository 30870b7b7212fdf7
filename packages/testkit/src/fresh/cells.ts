/**
 * The machines on which a stranger may type the two commands of the README: a Debian release, a
 * Node and an npm. Every release, every major version of Node that is supported, the lowest version
 * of each, three that are refused, and every npm that came with one of them occur at least once.
 */

export type Release = 'bookworm' | 'trixie';

/** Debian's own packages, or exact versions from npm's registry. */
export type Toolchain = 'debian' | { readonly node: string; readonly npm: string };

export interface FreshCell {
  readonly release: Release;
  readonly toolchain: Toolchain;
  /** Node is outside of the supported range: one line says so, and nothing is downloaded. */
  readonly isRefused?: true;
  /** `npm test` finds node, npm and sh on its PATH and nothing else. */
  readonly hasBarePath?: true;
  /** One of the few that the gate runs. */
  readonly isInSlice?: true;
}

export const cells: readonly FreshCell[] = [
  { release: 'bookworm', toolchain: 'debian', isRefused: true, isInSlice: true },
  { release: 'trixie', toolchain: 'debian', isInSlice: true },
  { release: 'bookworm', toolchain: { node: '20.18.1', npm: '10.8.2' }, isRefused: true },
  { release: 'bookworm', toolchain: { node: '20.19.0', npm: '10.8.2' } },
  { release: 'trixie', toolchain: { node: '20.20.2', npm: '9.2.0' } },
  { release: 'trixie', toolchain: { node: '22.12.0', npm: '10.9.0' }, isInSlice: true },
  { release: 'bookworm', toolchain: { node: '22.23.3', npm: '10.9.9' } },
  { release: 'trixie', toolchain: { node: '22.14.0', npm: '10.9.2' }, hasBarePath: true },
  { release: 'trixie', toolchain: { node: '23.6.0', npm: '10.9.2' }, isRefused: true },
  { release: 'bookworm', toolchain: { node: '24.0.0', npm: '11.3.0' } },
  { release: 'trixie', toolchain: { node: '24.21.0', npm: '11.19.1' } },
  { release: 'bookworm', toolchain: { node: '26.10.0', npm: '11.19.1' } },
  { release: 'trixie', toolchain: { node: '26.10.0', npm: '12.2.0' } },
];

/** As it is asked for on the command line. */
export function nameOf({ release, toolchain, hasBarePath }: FreshCell): string {
  const versions = toolchain === 'debian' ? 'debian' : `node${toolchain.node}-npm${toolchain.npm}`;
  return [release, versions, ...(hasBarePath ? ['bare'] : [])].join('-');
}

/** Debian's names of what a minimal machine lacks for this Node and npm. */
export function packagesOf({ toolchain }: FreshCell): readonly string[] {
  // Debian's npm brings certificates, OpenSSL and Python with it; Node 26 needs libatomic
  return toolchain === 'debian' ? ['nodejs', 'npm'] : ['libatomic1', 'libstdc++6'];
}

/** Under its name in the registry. */
export function nodePackage(architecture: string): string {
  return `node-linux-${architecture}`;
}
