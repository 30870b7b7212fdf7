/** In-process use: the command line without the process. */
export { runPrecheck } from './commands/precheck.ts';
