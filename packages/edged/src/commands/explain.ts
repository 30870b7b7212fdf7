/** `edged explain [TOPIC]`: a page for a reason, an exit code or an event. Needs no device. */
import { PrecheckError } from '@edged/model/failure';
import { success } from '@edged/model/exit-code';
import type { CommandContext } from '../command-context.ts';
import { foreignExitCodes } from '../explanations/exit-codes.ts';
import {
  eventDocument,
  eventNames,
  eventPage,
  exitCodeDocument,
  exitCodePage,
  knownExitCodes,
  listDocument,
  listPage,
  reasonDocument,
  reasonPage,
  reasons,
} from '../explanations/page.ts';
import { nearestTo } from '../near-miss.ts';
import type { StdoutStyle } from '../settings.ts';

interface Page {
  readonly text: (style: StdoutStyle) => string;
  readonly document: () => object;
}

/** Throws `config.usage` for a topic that is unknown, or fits several. */
export function runExplain(
  topic: string | undefined,
  output: 'text' | 'json',
  { terminal, settings }: CommandContext,
): number {
  const page = topic === undefined ? everything : find(topic.trim().toLowerCase());
  terminal.out(
    output === 'json'
      ? `${JSON.stringify(page.document(), null, 2)}\n`
      : page.text(settings.stdoutStyle()),
  );
  return success;
}

const everything: Page = { text: listPage, document: listDocument };

function find(topic: string): Page {
  return findExitCode(topic) ?? findAmong(reasons, topic, ofReason) ?? findEvent(topic);
}

function findExitCode(topic: string): Page | undefined {
  const exitCode = knownExitCodes.find((known) => String(known) === topic);
  if (exitCode !== undefined) {
    return {
      text: (style) => exitCodePage(exitCode, style),
      document: () => exitCodeDocument(exitCode),
    };
  }
  const foreign = foreignExitCodes.get(topic);
  if (foreign === undefined) return undefined;
  return {
    text: () => `${foreign}\n`,
    document: () => ({ schema: 'edged.exit_code.v1', exit_code: Number(topic), meaning: foreign }),
  };
}

function ofReason(reason: (typeof reasons)[number]): Page {
  return { text: (style) => reasonPage(reason, style), document: () => reasonDocument(reason) };
}

function ofEvent(name: (typeof eventNames)[number]): Page {
  return { text: (style) => eventPage(name, style), document: () => eventDocument(name) };
}

function findEvent(topic: string): Page {
  const page = findAmong(eventNames, topic, ofEvent);
  if (page) return page;
  const hint = nearestTo(topic, [...reasons, ...eventNames]);
  throw new PrecheckError('config.usage', {
    problem: `no reason, exit code or event: ${topic}`,
    ...(hint === undefined ? {} : { did_you_mean: hint }),
    allowed: '`edged explain` lists them all',
  });
}

/** The name itself, or the only one that the topic is a part of. */
function findAmong<Name extends string>(
  names: readonly Name[],
  topic: string,
  page: (name: Name) => Page,
): Page | undefined {
  const exact = names.find((name) => name === topic);
  if (exact !== undefined) return page(exact);
  const [first, ...others] = topic === '' ? [] : names.filter((name) => name.includes(topic));
  if (first === undefined) return undefined;
  if (others.length === 0) return page(first);
  const candidates = [first, ...others].join(', ');
  throw new PrecheckError('config.usage', {
    problem: `${topic} is a part of several`,
    allowed: candidates,
  });
}
