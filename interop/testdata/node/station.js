// A charging station made with ocpp-rpc. It reads commands from standard input,
// one JSON array per line, and writes what happens to standard output likewise:
//   ["call", action, payload]        makes a call; writes ["result", payload] or ["error", code]
//   ["answer", action, payload]      answers that action so from now on
//   ["answer", action, payload, true]  after an Authorize and a StatusNotification of its own
//   ["close"]                        ends the connection and the program
// ["asked", action, payload] is written for every call that comes in.
'use strict';

const readline = require('node:readline');
const { RPCClient, createRPCError } = require(process.argv[2] + '/node_modules/ocpp-rpc');

const [endpoint, identity, password, strict] = process.argv.slice(3);
const tell = (...what) => process.stdout.write(JSON.stringify(what) + '\n');

const station = new RPCClient({
  endpoint,
  identity,
  password: password || undefined,
  protocols: ['ocpp2.0.1'],
  strictMode: strict === 'strict',
  reconnect: false,
  wsOpts: { perMessageDeflate: { threshold: 0 } },
});

const answers = new Map();

station.handle(async ({ method, params }) => {
  tell('asked', method, params);
  const answer = answers.get(method);
  if (!answer) {
    throw createRPCError('NotImplemented', 'not told what to answer');
  }
  if (answer.first) {
    const { idTokenInfo } = await station.call('Authorize', { idToken: params.idToken });
    tell('authorized', idTokenInfo.status);
    await station.call('StatusNotification', {
      timestamp: new Date().toISOString(), connectorStatus: 'Reserved', evseId: params.evseId, connectorId: 1,
    });
  }
  return answer.payload;
});

station.on('strictValidationFailure', ({ error }) => tell('invalid', String(error), error.details));
let connected = false;
station.on('close', ({ code, reason }) => connected && tell('closed', code, String(reason)));

async function carryOut([command, action, payload, first]) {
  switch (command) {
    case 'call':
      try {
        tell('result', await station.call(action, payload));
      } catch (err) {
        tell('error', err.rpcErrorCode || err.message);
      }
      return;
    case 'answer':
      answers.set(action, { payload, first: first === true });
      return;
    case 'close':
      await station.close();
      process.exit(0);
  }
}

async function main() {
  try {
    await station.connect();
  } catch (err) {
    tell('refused', err.code || err.statusCode || 0, err.message);
    process.exit(0);
  }
  connected = true;
  tell('connected', station.protocol);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    await carryOut(JSON.parse(line));
  }
  process.exit(0);
}

main();
