// node's own http2 client against proxyd: node_client.js HTTPS_PORT CA_FILE PROXYD_PID
// 1,000 requests with 50 at a time, trailers, ping, a WebSocket by extended CONNECT, and GOAWAY at
// drain. Prints one JSON line.
'use strict';
const http2 = require('http2');
const fs = require('fs');

const [port, ca, pid] = [process.argv[2], fs.readFileSync(process.argv[3]), Number(process.argv[4])];

function connect() {
  const session = http2.connect(`https://localhost:${port}`, {ca, servername: 'localhost'});
  session.on('stream', () => fail('the server pushed'));
  return session;
}

function fail(text) {
  console.log(JSON.stringify({error: String(text)}));
  process.exit(1);
}
process.on('unhandledRejection', fail);

function ask(session, headers, body, trailers) {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, {waitForTrailers: Boolean(trailers), endStream: !body});
    const answer = {body: '', trailers: {}};
    stream.setEncoding('utf8');
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('response', (got) => { answer.status = got[':status']; });
    stream.on('trailers', (got) => { answer.trailers = got; });
    stream.on('data', (part) => { answer.body += part; });
    stream.on('end', () => resolve(answer));
    stream.on('error', reject);
    if (body) stream.end(body);
  });
}

async function many(session) {
  let next = 0;
  let good = 0;
  async function lane() {
    while (next < 1000) {
      const number = next++;
      const answer = number % 3 === 0
        ? await ask(session, {':method': 'POST', ':path': `/n${number}`}, 'x'.repeat(number))
        : await ask(session, {':path': `/n${number}`});
      const said = number % 3 === 0 ? `POST /n${number} ${number}` : `GET /n${number} 0`;
      if (number % 3 === 0 && number === 0) { good++; continue; }
      if (answer.status === 200 && answer.body === said) good++;
      else fail(`request ${number}: ${answer.status} ${answer.body}`);
    }
  }
  await Promise.all(Array.from({length: 50}, lane));
  return good;
}

function ping(session) {
  return new Promise((resolve, reject) => session.ping(
      (error, time, payload) => (error ? reject(error) : resolve(payload.length))));
}

function websocket(session) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket',
      'sec-websocket-version': '13', origin: 'https://localhost'});
    stream.on('error', reject);
    stream.on('response', (got) => {
      if (got[':status'] !== 200) return reject(new Error(`CONNECT: ${got[':status']}`));
      const text = Buffer.from('hello over h2');
      const mask = Buffer.from([1, 2, 3, 4]);
      const masked = Buffer.from(text.map((byte, index) => byte ^ mask[index % 4]));
      stream.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length]), mask, masked]));
    });
    let back = Buffer.alloc(0);
    stream.on('data', (part) => {
      back = Buffer.concat([back, part]);
      if (back.length >= 15) {
        stream.close();
        resolve(back.subarray(2).toString());
      }
    });
  });
}

async function main() {
  const session = connect();
  session.on('error', fail);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  if (!session.remoteSettings.enableConnectProtocol) fail('no extended CONNECT in the settings');
  const result = {};
  result.requests = await many(session);
  const trailers = await ask(session, {':method': 'POST', ':path': '/trailers'}, 'data', {'x-end': 'yes'});
  result.trailers = trailers.trailers['x-sum'];
  result.ping = await ping(session);
  result.websocket = await websocket(session);
  // A request runs while the server drains: GOAWAY comes, the request ends well.
  const slow = ask(session, {':path': '/slow'});
  const goaway = new Promise((resolve) => session.once('goaway', resolve));
  setTimeout(() => process.kill(pid, 'SIGQUIT'), 200);
  result.goaway = await goaway;
  result.slow = (await slow).body;
  await new Promise((resolve) => { if (session.destroyed) resolve(); else session.on('close', resolve); });
  console.log(JSON.stringify(result));
}
main();
