// What comes in, as JSON.

import process from 'node:process';

export async function read() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString('utf8'));
}
