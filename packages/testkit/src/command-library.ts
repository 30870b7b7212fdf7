/** Entry of the bundle that `buildLibrary` makes. */
export { linuxHost } from '@edged/host/linux-host';
export { precheck } from '@edged/precheck/precheck';
