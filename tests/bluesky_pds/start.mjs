// A Bluesky server for Fanfare's tests: the reference PDS with the reference PLC directory, both on loopback only,
// with the accounts alice.test and bob.test.
//
//   --data DIR       where the server keeps everything (default: data/ beside this file)
//   --pds-port N     0 takes the port that DIR remembers, else a free one
//   --plc-port N     likewise
//   --password P     of both accounts when they are created
//   --rate-limits    limit like the public servers (30 sessions per account in 5 minutes ...)
//   --log            write DIR/server.log
//   --throwaway      delete DIR at the end, unless it is SIGKILL
//
// Prints one line of JSON when ready, and nothing else on standard output:
//
//   {"pds":"http://127.0.0.1:1","plc":"http://127.0.0.1:2","accounts":[{"handle","did","password","appPassword"}, ...]}
//
// Runs until SIGTERM, SIGINT or the end of standard input, so that it cannot outlive a test that died. Started again
// with the same DIR after any kind of end, it is the same server again: same addresses, accounts, records, passwords.

import dns from 'node:dns'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { parseArgs } from 'node:util'

// Printed nowhere, but no secret: a test may sign a token with it, for instance one that has expired (HS256).
const JWT_SECRET = 'jwt-secret'
const ADMIN_PASSWORD = 'admin-password'
const PLC_ROTATION_KEY = '01'.repeat(32)

const HANDLES = ['alice.test', 'bob.test']
const LOOPBACK = '127.0.0.1'
const DISCARD_PORT = 9

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: path.join(import.meta.dirname, 'data') },
    'pds-port': { type: 'string', default: '0' },
    'plc-port': { type: 'string', default: '0' },
    password: { type: 'string', default: 'correct-horse-battery' },
    'rate-limits': { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    throwaway: { type: 'boolean', default: false },
  },
})
const dataDir = path.resolve(options.data)
const stateFile = path.join(dataDir, 'state.json')
const plcFile = path.join(dataDir, 'plc.jsonl')

const servers = []
let stopping = false

process.stdin.resume()
process.stdin.on('end', stop)
process.stdin.on('error', stop)
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('exit', () => {
  if (options.throwaway) fs.rmSync(dataDir, { recursive: true, force: true })
})

stayOnLoopback()
console.log = console.error

fs.mkdirSync(path.join(dataDir, 'blobs'), { recursive: true })
const state = { pdsPort: 0, plcPort: 0, accounts: [], ...readJson(stateFile) }

// The packages read their log settings while they are loaded, hence no static import.
process.env.LOG_ENABLED = String(options.log)
process.env.LOG_DESTINATION = path.join(dataDir, 'server.log')
const { Database, PlcServer } = await import('@did-plc/server')
const { PDS, envToCfg, envToSecrets } = await import('@atproto/pds')

const plc = PlcServer.create({ db: await durablePlcDatabase(), port: Number(options['plc-port']) || state.plcPort })
servers.push(plc)
state.plcPort = (await plc.start()).address().port
const plcUrl = `http://${LOOPBACK}:${state.plcPort}`

// The PDS must know its own address before it listens, so its port is held by a stand-in until then.
const standIn = net.createServer()
await new Promise((resolve, reject) => {
  standIn.once('error', reject)
  standIn.listen(pdsPort(), resolve)
})
state.pdsPort = standIn.address().port
const pdsUrl = `http://${LOOPBACK}:${state.pdsPort}`

const pds = await createPds()
servers.push(pds)
await new Promise((resolve) => standIn.close(resolve))
await pds.start()
saveState()

for (const handle of HANDLES) await ensureAccount(handle)

process.stdout.write(`${JSON.stringify({ pds: pdsUrl, plc: plcUrl, accounts: state.accounts })}\n`)

// --- the servers ---

function pdsPort() {
  const asked = Number(options['pds-port'])
  // The DID documents of the accounts name the old address, so on another one they would point nowhere.
  if (asked && state.pdsPort && asked !== state.pdsPort) throw new Error(`${dataDir} belongs to port ${state.pdsPort}`)
  return asked || state.pdsPort
}

function createPds() {
  const env = {
    port: state.pdsPort,
    devMode: true,
    dataDirectory: dataDir,
    blobstoreDiskLocation: path.join(dataDir, 'blobs'),
    // Beside the blobs, because a blob is moved from one to the other and /tmp may be another disk.
    blobstoreDiskTmpLocation: path.join(dataDir, 'blobs-incoming'),
    didPlcUrl: plcUrl,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true,
    rateLimitsEnabled: options['rate-limits'],
    // No crawlers, app view, moderation service or mail server: what is not named here, the PDS does not call.
    jwtSecret: JWT_SECRET,
    adminPassword: ADMIN_PASSWORD,
    plcRotationKeyK256PrivateKeyHex: PLC_ROTATION_KEY,
  }
  const config = envToCfg(env)
  // The PDS would call itself `localhost`, which some resolvers try as ::1 first, where nothing listens.
  config.service.publicUrl = pdsUrl
  config.oauth.issuer = pdsUrl
  return PDS.create(config, envToSecrets(env))
}

/** The in-memory directory, with its operations also in a file: a restarted server must still know its own accounts. */
async function durablePlcDatabase() {
  const database = Database.mock()
  const add = database.validateAndAddOp.bind(database)
  for (const line of readText(plcFile).split('\n').filter(Boolean)) {
    const { did, operation } = JSON.parse(line)
    await add(did, operation)
  }
  database.validateAndAddOp = async (did, operation) => {
    await add(did, operation)
    fs.appendFileSync(plcFile, `${JSON.stringify({ did, operation })}\n`)
  }
  return database
}

async function stop() {
  if (stopping) return
  stopping = true
  // A connection that a test keeps busy must not keep us alive.
  setTimeout(() => process.exit(0), 3000)
  for (const server of servers.reverse()) await server.destroy()
  process.exit(0)
}

// --- the accounts ---

async function ensureAccount(handle) {
  if (state.accounts.some((account) => account.handle === handle)) return

  const password = options.password
  const email = `${handle.replace('.', '-')}@example.com`
  // A start that was killed half-way leaves an account without an app password: then logging in is all that is needed.
  const exists = await call('GET', `identity.resolveHandle?handle=${handle}`).then(() => true, () => false)
  const session = exists
    ? await call('POST', 'server.createSession', { identifier: handle, password })
    : await call('POST', 'server.createAccount', { handle, email, password })
  // The name is new each time, because a name that is taken is refused and its password cannot be read back.
  const created = await call('POST', 'server.createAppPassword', { name: `fanfare-${Date.now()}` }, session.accessJwt)

  state.accounts.push({ handle, did: session.did, password, appPassword: created.password })
  saveState()
}

async function call(method, name, body, token) {
  const headers = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const answer = await fetch(`${pdsUrl}/xrpc/com.atproto.${name}`, {
    method,
    headers: body ? headers : {},
    body: body && JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

// --- the edges ---

/** Both packages listen on every interface, with no option against it, and would look up any handle they meet. */
function stayOnLoopback() {
  const listen = net.Server.prototype.listen
  net.Server.prototype.listen = function (port, ...rest) {
    const whenListening = rest.find((argument) => typeof argument === 'function')
    return listen.call(this, { port: Number(port), host: LOOPBACK }, whenListening)
  }

  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (...args) {
    // Node's own callers pass their arguments as one array, others pass options or (port, host).
    const [first, second] = Array.isArray(args[0]) ? args[0] : args
    const host = typeof first === 'object' ? first.host : second
    if ([LOOPBACK, 'localhost'].includes(host)) return connect.apply(this, args)
    // Nothing listens there, so the caller meets an ordinary refused connection, at the moment when it expects one.
    const options = typeof first === 'object' ? first : {}
    const whenConnected = args.flat().find((argument) => typeof argument === 'function')
    return connect.call(this, { ...options, host: LOOPBACK, port: DISCARD_PORT }, whenConnected)
  }

  // Handles are also looked up as DNS records, which is done past any socket of Node's.
  const nowhere = [`${LOOPBACK}:${DISCARD_PORT}`]
  dns.setServers(nowhere)
  dns.promises.setServers(nowhere)
}

function saveState() {
  const draft = `${stateFile}.draft`
  fs.writeFileSync(draft, JSON.stringify(state))
  fs.renameSync(draft, stateFile)
}

function readJson(file) {
  return JSON.parse(readText(file) || '{}')
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
}
