/** The status of a GET, from whoever is asked and nobody else. */
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { httpStatus } from '@edged/host/linux-http';

const opened: (http.Server | net.Server)[] = [];
afterEach(() => {
  for (const server of opened.splice(0)) {
    if (server instanceof http.Server) server.closeAllConnections();
    server.close();
  }
});

async function portOf(server: http.Server | net.Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}

/** Whoever speaks in raw bytes; the sockets are closed with the test. */
async function rawServer(speak: (socket: net.Socket) => void): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    speak(socket);
  });
  return `http://127.0.0.1:${await portOf(server)}/health`;
}

describe('the status of a GET', () => {
  test('is what the server says, with path and query as they were given', async () => {
    const seen: (string | undefined)[] = [];
    const port = await portOf(
      http.createServer(({ method, url }, response) => {
        seen.push(`${method} ${url}`);
        response.writeHead(204).end();
      }),
    );
    expect(await httpStatus(`http://127.0.0.1:${port}/health?deep=1`, 5000)).toBe(204);
    expect(await httpStatus(`http://localhost:${port}/`, 5000)).toBe(204);
    expect(seen).toEqual(['GET /health?deep=1', 'GET /']);
  });

  test('of a redirect is the redirect', async () => {
    let asked = 0;
    const port = await portOf(
      http.createServer((_request, response) => {
        asked += 1;
        response.writeHead(302, { location: '/elsewhere' }).end();
      }),
    );
    expect(await httpStatus(`http://127.0.0.1:${port}/`, 5000)).toBe(302);
    expect(asked).toBe(1);
  });

  test('does not wait for a body, however long', async () => {
    const url = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
      const timer = setInterval(() => socket.write('x'.repeat(65_536)), 5);
      socket.on('close', () => clearInterval(timer));
    });
    const started = Date.now();
    expect(await httpStatus(url, 30_000)).toBe(200);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test.each<[string, (socket: net.Socket) => void, RegExp]>([
    ['that never comes', () => undefined, /^no answer within 0\.3 s$/],
    [
      'of headers that never end is none',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const timer = setInterval(() => socket.write(`x-more: ${'y'.repeat(50)}\r\n`), 20);
        socket.on('close', () => clearInterval(timer));
      },
      /^no answer within 0\.3 s$/,
    ],
    [
      'of headers that are too many is none',
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`),
      /overflow|too large/i,
    ],
    [
      'of something that is no HTTP is none',
      (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      /pars|malformed|invalid/i,
    ],
    ['of nothing is none', (socket) => void socket.end(), /hang up|closed|reset/i],
  ])('%s', async (_what, speak, expected) => {
    const url = await rawServer(speak);
    const started = Date.now();
    expect(await httpStatus(url, 300)).toMatch(expected);
    expect(Date.now() - started).toBeLessThan(3000);
  });

  test('of nobody says so', async () => {
    expect(await httpStatus('http://127.0.0.1:9/', 5000)).toMatch(/ECONNREFUSED/);
    expect(await httpStatus('http://localhost:9/', 5000)).toMatch(/ECONNREFUSED/);
    expect(await httpStatus('http://[not an address]/', 5000)).toMatch(/invalid url/i);
  });
});
