import { describe, expect, test } from '@jest/globals';
import { success } from '@edged/model/exit-code';
import { type FailureCode, PrecheckError, failures } from '@edged/model/failure';
import type { CommandContext } from 'edged/command-context';
import type { CommandDefinition } from 'edged/command-line/command-definitions';
import { commandDefinitions } from 'edged/command-line/command-line';
import { runExplain } from 'edged/commands/explain';
import type { Explanation } from 'edged/explanations/explanation';
import { explanations } from 'edged/explanations/explanations';
import { exitCodeOf } from 'edged/explanations/page';

const codes = Object.keys(failures) as FailureCode[];
const plain = { color: false, columns: 80 };

function explained(
  topic: string | undefined,
  output: 'text' | 'json' = 'text',
  style: { color: boolean; columns: number } = plain,
): string {
  let shown = '';
  const context = {
    terminal: { out: (text: string) => (shown += text) },
    settings: { stdoutStyle: () => style },
  } as unknown as CommandContext;
  expect(runExplain(topic, output, context)).toBe(success);
  return shown;
}

function refused(topic: string): Record<string, unknown> {
  try {
    explained(topic);
  } catch (error) {
    expect(error).toBeInstanceOf(PrecheckError);
    const { code, details } = error as PrecheckError;
    expect(code).toBe('config.usage');
    return { ...details[0] };
  }
  throw new Error(`${topic} was explained`);
}

/** As one line: where lines are broken is not asked here. */
function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

describe('every reason', () => {
  test.each(codes)('%s has message, remedy, meaning and steps on its page', (code) => {
    const page = flat(explained(code));
    const { message, remedy, class: kind } = failures[code];
    const { meaning, repair }: Explanation = explanations[code];
    for (const text of [code, message, remedy, kind, meaning, ...repair]) {
      expect(page).toContain(flat(text));
    }
    expect(page).toContain(`exit code ${exitCodeOf(code)}`);
    expect(repair.length).toBeGreaterThanOrEqual(1);
    expect(repair.length).toBeLessThanOrEqual(5);
  });

  test('needs no checkout: where a step names a document, it names a manual page', () => {
    const steps = codes.flatMap((code) => [failures[code].remedy, ...explanations[code].repair]);
    const documents = steps.filter((step) => step.includes('docs/'));
    expect(documents.filter((step) => !step.includes('`man edged'))).toEqual([]);
  });

  test.each(codes)('%s is told in two to four sentences, and repeats nothing', (code) => {
    const { message, remedy } = failures[code];
    const { meaning, repair }: Explanation = explanations[code];
    const sentences = meaning.match(/[.?!](?=\s|$)/g) ?? [];
    expect(sentences.length).toBeGreaterThanOrEqual(2);
    expect(sentences.length).toBeLessThanOrEqual(4);
    for (const text of [meaning, ...repair]) {
      expect(text).not.toContain(remedy);
      expect(text).not.toContain(message);
      expect(text).toMatch(/[.?!)]$/);
    }
  });

  test.each(codes)('%s fits a serial console: 80 columns, but for a command', (code) => {
    const wide = explained(code)
      .split('\n')
      .filter(({ length }) => length > 80);
    expect(wide.filter((line) => !/^\s*(?:\d\. )?`[^`]*`\S*$/.test(line))).toEqual([]);
  });

  test.each(codes)('%s as JSON', (code) => {
    expect(JSON.parse(explained(code, 'json'))).toEqual({
      schema: 'edged.explanation.v1',
      reason: code,
      gate: failures[code].gate,
      exit_code: exitCodeOf(code),
      class: failures[code].class,
      message: failures[code].message,
      remedy: failures[code].remedy,
      ...explanations[code],
    });
  });
});

describe('a topic', () => {
  test('may be the only part of its kind, in any case', () => {
    expect(explained('signature_invalid')).toBe(explained('manifest.signature_invalid'));
    expect(explained(' Manifest.Signature_Invalid ')).toBe(explained('signature_invalid'));
    expect(explained('update_detected')).toBe(explained('edge.os.update_detected'));
  });

  test('that is a whole reason wins over those it is a part of', () => {
    expect(explained('manifest.missing')).toMatch(/^manifest\.missing\n/);
    expect(explained('certificate.expires_soon')).toMatch(/^certificate\.expires_soon\n/);
  });

  test('that is a part of several lists them', () => {
    const { problem, allowed } = refused('missing');
    expect(problem).toBe('missing is a part of several');
    const expected = codes.filter((code) => code.includes('missing'));
    expect(expected.length).toBeGreaterThan(2);
    expect(String(allowed).split(', ')).toEqual(expected);
  });

  test.each([
    ['manifest.signature_invald', 'manifest.signature_invalid'],
    ['signatur_invalid', 'manifest.signature_invalid'],
    ['edge.os.update_detekted', 'edge.os.update_detected'],
  ])('%s: did you mean %s', (topic, hint) => {
    expect(refused(topic)).toMatchObject({
      problem: `no reason, exit code or event: ${topic}`,
      did_you_mean: hint,
    });
  });

  test.each(['', 'something.else_altogether', '7', '-1', '05', 'constructor', '__proto__'])(
    '"%s" is unknown, and nothing like it is guessed',
    (topic) => {
      expect(refused(topic)).not.toHaveProperty('did_you_mean');
    },
  );
});

describe('an exit code', () => {
  test.each(['1', '2', '3', '5'])(
    '%s: what it means, and just the reasons that give it',
    (topic) => {
      const page = explained(topic);
      const given = codes.filter((code) => String(exitCodeOf(code)) === topic);
      const shown = [...page.matchAll(/^ {2}([a-z_]+\.\w+): (.+)$/gm)];
      expect(shown.map(([, reason]) => reason)).toEqual(given);
      for (const [, reason, message] of shown) {
        expect(message).toBe(failures[reason as FailureCode].message);
      }
      expect(page).toMatch(new RegExp(`^exit code ${topic}: `));
      const document = JSON.parse(explained(topic, 'json')) as { reasons: unknown[] };
      expect(document).toMatchObject({ schema: 'edged.exit_code.v1', exit_code: Number(topic) });
      expect(document.reasons).toHaveLength(given.length);
    },
  );

  test('0: what it promises, and no reason', () => {
    expect(explained('0')).toContain('durable');
    expect(explained('0')).not.toContain('Reasons');
  });

  test('4 and 42 are not ours', () => {
    expect(explained('4')).toContain('never ends with 4');
    expect(explained('42')).toContain('belongs to another program');
    expect(JSON.parse(explained('42', 'json'))).toMatchObject({ exit_code: 42 });
  });
});

test('an event: level, attributes, meaning, and whether anything is to be done', () => {
  const page = flat(explained('edge.os.update_detected'));
  for (const text of ['level: WARN', 'previous_hash', 'the OS was replaced', 'What to do']) {
    expect(page).toContain(text);
  }
  expect(JSON.parse(explained('edge.os.update_detected', 'json'))).toMatchObject({
    schema: 'edged.event.v1',
    event: 'edge.os.update_detected',
    level: 'warn',
    attributes: ['previous_hash', 'current_hash', 'changed'],
  });
});

test('without a topic: every reason, below its exit code', () => {
  const parts = explained(undefined).split(/^(?=exit code )/m);
  for (const code of codes) {
    const part = parts.find((text) => text.startsWith(`exit code ${exitCodeOf(code)}:`));
    expect(part).toContain(`  ${code}: ${failures[code].message}\n`);
  }
  const document = JSON.parse(explained(undefined, 'json')) as {
    exit_codes: { reasons: { reason: string }[] }[];
  };
  const listed = document.exit_codes.flatMap(({ reasons }) => reasons.map(({ reason }) => reason));
  expect(listed.toSorted()).toEqual(codes.toSorted());
});

test('headings are bold where that can be shown, and nothing else differs', () => {
  const bold = explained('state_root.locked', 'text', { color: true, columns: 80 });
  expect(bold).toContain('\u001b[1mWhat to do\u001b[0m');
  // oxlint-disable-next-line no-control-regex -- that is what is looked for
  expect(bold.replaceAll(/\u001b\[\d+m/g, '')).toBe(explained('state_root.locked'));
});

test('a wide terminal is used up to 100 columns', () => {
  const widest = (columns: number): number =>
    Math.max(
      ...explained('config.invalid', 'text', { color: false, columns })
        .split('\n')
        .map(({ length }) => length),
    );
  expect(widest(300)).toBeGreaterThan(90);
  expect(widest(300)).toBeLessThanOrEqual(100);
  expect(widest(70)).toBeLessThanOrEqual(70);
});

describe('what the steps say to type', () => {
  const program = commandDefinitions();
  /** Commands that are made, with their options, when these pages are. */
  const coming: Readonly<Record<string, readonly string[]>> = {
    status: ['config', 'output'],
    doctor: ['config', 'fix', 'output'],
  };
  const lines = codes.flatMap((code) =>
    (explanations[code] as Explanation).repair.flatMap((step) =>
      [...step.matchAll(/`([^`]*)`/g)].flatMap(([, span = '']) =>
        span
          .split(/&&|\||;/)
          .map((line) => line.trim())
          .filter((line) => /^edged\s/.test(line))
          .map((line) => [line, code] as const),
      ),
    ),
  );

  function objectionTo(line: string): string | undefined {
    const words = line.split(/\s+/).slice(1);
    const flags = words.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    let command: CommandDefinition = program;
    for (const word of words) {
      const inner = command.commands.find(({ name }) => name === word);
      if (!inner) break;
      command = inner;
    }
    const known = [...command.options, ...program.options].map(({ name }) => name);
    if (command === program) {
      const name = words.find((word) => !word.startsWith('--'));
      const options = name === undefined ? [] : coming[name];
      if (options === undefined) return `no command ${name}`;
      known.push(...options);
    }
    const unknown = flags.filter((flag) => !known.includes(flag));
    return unknown.length > 0 ? `no option ${unknown.join(', ')}` : undefined;
  }

  test('this check knows a wrong command and a wrong option when it sees them', () => {
    expect(objectionTo('edged repair --config F')).toBe('no command repair');
    expect(objectionTo('edged precheck --config F --dry')).toBe('no option dry');
    expect(objectionTo('edged keys id --config F')).toBe('no option config');
    expect(objectionTo('edged doctor --config F --fix')).toBeUndefined();
    expect(lines.length).toBeGreaterThan(30);
  });

  test.each(lines)('%s (%s)', (line) => {
    expect(objectionTo(line)).toBeUndefined();
  });
});
