/**
 * What the kernel asks at each system call of a command (seccomp(2), a program of classic BPF): sockets are of the kinds that a
 * network namespace holds, and no others. AF_VSOCK above all speaks to the host of a virtual machine, whatever namespace one is in.
 * io_uring makes sockets without a call that could be asked, so there is none. Keys (keyrings(7)) know no namespace: a command is in
 * the service's session, reads what that holds, and leaves there what the next run reads.
 * Docker's own filter leaves out keys; AF_VSOCK only in newer ones, io_uring from 25.0 on: both are looked at.
 */
type Calls = {
  /** linux/audit.h */
  architecture: number
  socket: number
  /** What makes sockets in a way that cannot be looked at, and what keeps and finds keys. */
  refused: readonly number[]
  /** Numbers from here on are those of a second set of calls. */
  below?: number
}

const uring = 425
const [socketcall, x32] = [102, 0x4000_0000]
/** add_key, request_key and keyctl, in that order everywhere. */
const keysFrom = (first: number) => [first, first + 1, first + 2]
const calls: Readonly<Record<string, readonly Calls[]>> = {
  // A kernel of 64 bits runs programs of 32, with other numbers.
  x64: [
    { architecture: 0xc000_003e, socket: 41, refused: [uring, ...keysFrom(248)], below: x32 },
    { architecture: 0x4000_0003, socket: 359, refused: [uring, socketcall, ...keysFrom(286)] },
  ],
  arm64: [
    { architecture: 0xc000_00b7, socket: 198, refused: [uring, ...keysFrom(217)] },
    { architecture: 0x4000_0028, socket: 281, refused: [uring, socketcall, ...keysFrom(309)] },
  ],
}
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
const kinds = [1, 2, 10, 16]

const allow = 0x7fff_0000
const refuse = (errno: number) => 0x0005_0000 | errno
const [notPermitted, notSupported] = [1, 97]
/** Offsets in struct seccomp_data. */
const at = { call: 0, architecture: 4, firstArgument: 16 }

type Step = readonly [code: number, whenTrue: number, whenFalse: number, value: number]
const load = (offset: number): Step => [0x20, 0, 0, offset]
const end = (answer: number): Step => [0x06, 0, 0, answer]
/** Goes on with `steps` where it is equal, after them where not. */
const whenEqual = (value: number, steps: readonly Step[]): Step[] => [[0x15, 0, steps.length, value], ...steps]
const whenAtLeast = (value: number, steps: readonly Step[]): Step[] => [[0x35, 0, steps.length, value], ...steps]

function stepsFor({ architecture, socket, refused, below }: Calls): Step[] {
  return whenEqual(architecture, [
    load(at.call),
    ...(below === undefined ? [] : whenAtLeast(below, [end(refuse(notPermitted))])),
    ...refused.flatMap((call) => whenEqual(call, [end(refuse(notPermitted))])),
    ...whenEqual(socket, [
      load(at.firstArgument),
      ...kinds.flatMap((kind) => whenEqual(kind, [end(allow)])),
      end(refuse(notSupported)),
    ]),
    end(allow),
  ])
}

/** The program as the kernel takes it; undefined for processors whose calls are not known here. */
export function callFilter(processor: string = process.arch): Buffer | undefined {
  const known = Object.hasOwn(calls, processor) ? calls[processor] : undefined
  if (!known) return undefined
  const steps = [load(at.architecture), ...known.flatMap(stepsFor), end(refuse(notPermitted))]
  return Buffer.concat(steps.map(encoded))
}

/** struct sock_filter. Both processors write the small end first. */
function encoded([code, whenTrue, whenFalse, value]: Step): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(whenTrue, 2)
  bytes.writeUInt8(whenFalse, 3)
  bytes.writeUInt32LE(value, 4)
  return bytes
}
