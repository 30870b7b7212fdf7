/**
 * The status of one GET. Asked of exactly the address that is named: no proxy, whatever the
 * environment says; a redirect is an answer like any other; of the body nothing is read.
 */
import http from 'node:http';
import https from 'node:https';

const headerLimitBytes = 16 * 1024;

/** The reason as text where there is no status. Never rejects, and never takes longer. */
export function httpStatus(url: string, timeoutMilliseconds: number): Promise<number | string> {
  return new Promise((resolve) => {
    let request: http.ClientRequest | undefined;
    const timer = setTimeout(() => {
      end(`no answer within ${timeoutMilliseconds / 1000} s`);
    }, timeoutMilliseconds);
    function end(answer: number | string): void {
      clearTimeout(timer);
      resolve(answer);
      request?.destroy();
    }
    try {
      // the global agent, and it alone, may have been told of a proxy
      const options = { agent: false, maxHeaderSize: headerLimitBytes } as const;
      const { get } = url.startsWith('https:') ? https : http;
      request = get(url, options, ({ statusCode }) => end(statusCode ?? 'no status'));
      request.on('error', (error) => end(wordsOf(error)));
    } catch (error) {
      end(wordsOf(error)); // no address at all
    }
  });
}

/** Of several addresses that were tried, each has its own. */
function wordsOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : undefined;
  return message || first?.message || code || 'no answer';
}
