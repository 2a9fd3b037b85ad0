/** How walls of ours look to a command behind them, whoever makes them. */
export const sandboxHome = '/home/overnight'
/** Our program that leads from 127.0.0.1 to a mounted socket. */
export const forwarderInside = '/etc/overnight/forwarder.mjs'
/** Every command has a loopback of its own, so it is free; none that a test suite or a development server likes. */
export const forwardPort = 47_470
