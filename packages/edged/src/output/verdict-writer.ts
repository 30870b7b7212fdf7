/**
 * Where the verdict of one precheck goes, beside the log: to stdout where it was asked for, into
 * the runtime directory, to systemd's status line, into a textfile for Prometheus. The verdict
 * stands, whether or not its report finds room.
 */
import path from 'node:path';
import { PrecheckError } from '@edged/model/failure';
import {
  type Circumstances,
  type PrecheckOutcome,
  circumstancesNow,
  resultName,
  resultOf,
} from '@edged/precheck/precheck-result';
import type { CommandContext } from '../command-context.ts';
import { removeOutput, replaceOutput } from '../files.ts';

export interface VerdictOrder {
  readonly output: 'text' | 'json';
  readonly metricsTextfile: string | undefined;
}

export class VerdictWriter {
  /** As configured, once that is known. */
  stateRoot: string | undefined;
  readonly #order: VerdictOrder;
  readonly #context: CommandContext;
  readonly #started: bigint;

  constructor(order: VerdictOrder, context: CommandContext) {
    this.#order = order;
    this.#context = context;
    this.#started = context.host.clock.monotonicNanoseconds();
  }

  /** Until this precheck has its own, there is no verdict: that of an earlier one is not left. */
  async begin(): Promise<void> {
    const { runtimeDirectory } = this.#context.settings;
    if (runtimeDirectory === undefined) return;
    await this.#standing('the old result cannot be removed', () =>
      removeOutput(path.join(runtimeDirectory, resultName)),
    );
  }

  async write(verdict: PrecheckOutcome | PrecheckError): Promise<void> {
    const { settings, host, terminal } = this.#context;
    const circumstances = circumstancesNow(
      host,
      this.#started,
      this.stateRoot,
      settings.skipMountCheck,
    );
    const text = `${JSON.stringify(resultOf(verdict, circumstances), null, 2)}\n`;
    const { runtimeDirectory } = settings;
    if (runtimeDirectory !== undefined) {
      await this.#standing('the result cannot be written', () =>
        replaceOutput(path.join(runtimeDirectory, resultName), Buffer.from(text), 0o644),
      );
    }
    if (this.#order.output === 'json') {
      await this.#standing('the result cannot be written', () => terminal.out(text));
    }
    if (settings.notifySocket !== undefined && isNews(verdict)) {
      await this.#standing('systemd cannot be told', async () =>
        (await import('./service-status.ts')).notifyStatus(verdict),
      );
    }
    await this.#writeMetrics(verdict, circumstances);
  }

  async #writeMetrics(
    verdict: PrecheckOutcome | PrecheckError,
    circumstances: Circumstances,
  ): Promise<void> {
    const { metricsTextfile: file } = this.#order;
    if (file === undefined) return;
    await this.#standing('the metrics cannot be written', async () => {
      const { metricsOf } = await import('./metrics-textfile.ts');
      replaceOutput(file, Buffer.from(metricsOf(verdict, circumstances)), 0o644);
    });
  }

  async #standing(what: string, write: () => void | Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      const problem = (error as Error).message;
      const detail = error instanceof PrecheckError ? error.details[0] : { problem };
      this.#context.log('warn', `edged: ${what}`, { ...detail });
    }
  }
}

/** A matching boot is silent everywhere. */
function isNews(verdict: PrecheckOutcome | PrecheckError): boolean {
  return verdict instanceof PrecheckError || verdict.decision !== 'unchanged';
}
