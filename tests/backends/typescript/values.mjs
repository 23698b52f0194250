// Computes with the runtime of a folder: node values.mjs FOLDER. Reads [[name, ...args]], prints the results.

import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const { Decimal, val, parse } = await import(pathToFileURL(path.join(path.resolve(process.argv[2]), 'wfc-runtime', 'wfc-runtime.js')).href);
let text = '';
for await (const piece of process.stdin) text += piece;

const d = (given) => Decimal.of(given);
const tried = (act) => {
  try {
    return act();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
};
const does = {
  plus: (a, b) => d(a).plus(d(b)),
  minus: (a, b) => d(a).minus(d(b)),
  times: (a, b) => d(a).times(d(b)),
  over: (a, b) => d(a).over(d(b)),
  compare: (a, b) => Math.sign(d(a).compare(d(b))),
  whole: (a, mode) => d(a).whole(mode),
  money: (a) => val.showMoney(d(a), 'EUR'),
  duration: (a) => val.showDuration(a),
  instant: (a) => val.showInstant(a),
  compareText: (a, b) => Math.sign(val.compare(a, b)),
  trim: (a) => val.trim(a),
  length: (a) => val.length(a),
  message: (a) => val.message(a),
  add: (a, b) => val.add(a, b),
  multiply: (a, b) => val.multiply(a, b),
  sum: (a) => val.sum(a),
  total: (a) => val.total(a.map(d)),
  dateOf: (a) => val.dateOf(a),
  startOf: (a) => val.startOf(a),
  parse: (name, a) => tried(() => parse[name](a)),
};
const shown = (found) => (found instanceof Decimal ? found.toString() : (found ?? null));
process.stdout.write(JSON.stringify(JSON.parse(text).map(([name, ...args]) => shown(does[name](...args)))));
