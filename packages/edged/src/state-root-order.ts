/** From config and environment to the state root that is meant. */
import type { StateRootOrder } from '@edged/precheck/state-root/state-root';
import type { Config } from './config/config-schema.ts';
import type { Settings } from './settings.ts';

export function stateRootOrder(
  { state_root: stateRoot }: Config,
  settings: Pick<Settings, 'stateRoot' | 'skipMountCheck'>,
  lockWaitSeconds: number,
): StateRootOrder {
  const { expected_uuid: uuid, expected_label: label } = stateRoot;
  return {
    path: settings.stateRoot ?? stateRoot.root,
    skipMountCheck: settings.skipMountCheck,
    allowRootFilesystem: stateRoot.allow_root_filesystem,
    ...(uuid === undefined ? {} : { expectedUuid: uuid }),
    ...(label === undefined ? {} : { expectedLabel: label }),
    lockWaitMilliseconds: lockWaitSeconds * 1000,
  };
}
