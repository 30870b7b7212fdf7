/**
 * Every failure code, each provoked on a device. The default scene is a device in epoch 0 whose OS
 * was just replaced; the default expectation is that nothing in the state root has changed.
 */
import { certificateScenes } from './scenes/certificate.ts';
import { configScenes } from './scenes/config.ts';
import { inspectionScenes } from './scenes/inspection.ts';
import { manifestScenes } from './scenes/manifest.ts';
import { operationScenes } from './scenes/operation.ts';
import { reconstructionScenes } from './scenes/reconstruction.ts';
import type { Scenes } from './scenes/scene.ts';
import { slotScenes } from './scenes/slot.ts';
import { stateRootScenes } from './scenes/state-root.ts';
import { trustScenes } from './scenes/trust.ts';

export type { Scene } from './scenes/scene.ts';

export const scenes: Scenes = {
  ...configScenes,
  ...stateRootScenes,
  ...certificateScenes,
  ...manifestScenes,
  ...trustScenes,
  ...operationScenes,
  ...reconstructionScenes,
  ...slotScenes,
  ...inspectionScenes,
};
