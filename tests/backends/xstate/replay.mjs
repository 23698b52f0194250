// Runs charts under XState, each through the inputs that the machine was given, and tells what they led to.
// Reads one JSON object a line: a chart, its input and the journal; writes one a line.

import { createInterface } from 'node:readline';

const { Run, Misfit } = await import(process.argv[2]);

/** A host with a virtual clock that only tells. */
class Told {
  at = 0;
  commands = [];
  now() {
    return this.at;
  }
  alarm(at) {
    this.next = at;
  }
  command(command) {
    this.commands.push(command);
  }
}

function outcome(given) {
  const { kind, value, sent, chance } = given;
  return { kind, value, sent, chance };
}

function play({ chart, input, at, id, journal }) {
  const host = new Told();
  const turns = [];
  const sent = new Map(); // by key and attempt: the call of the chart
  const take = (work) => {
    host.commands = [];
    const refused = work();
    for (const command of host.commands) {
      if (command.is === 'send') sent.set(`${command.send.target} ${command.send.key} ${command.send.attempt}`, command.send);
    }
    turns.push({ at: host.at, refused: refused ?? null, commands: host.commands, alarm: host.next ?? null });
  };
  let run;
  host.at = at;
  take(() => {
    run = new Run(chart, input, host, id);
    if (run.actor.getSnapshot().status === 'error') throw run.actor.getSnapshot().error;
  });
  for (const given of journal) {
    host.at = given.at;
    take(() => {
      if (given.is === 'time') return run.time();
      if (given.is === 'cancel') return run.cancel();
      if (given.is === 'event') return run.event(given.type, given.data);
      const send = sent.get(`${given.target} ${given.key} ${given.attempt}`);
      if (send === undefined) return 'no such attempt';
      if (given.is === 'answered') return run.answer(send.call, send.attempt, outcome(given));
      return run.progress(send.call, send.attempt, given.is);
    });
  }
  return { turns, status: run.state.status, value: run.state.value ?? null, error: run.state.error ?? null, id: run.id };
}

for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    told = play(JSON.parse(line));
  } catch (error) {
    told = { crashed: error instanceof Misfit ? `misfit: ${error.message}` : String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
