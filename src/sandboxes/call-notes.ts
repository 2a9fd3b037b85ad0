/** For whoever reads the run: calls of the system that nothing keeps out, or of which it is not known. */
export const hostSocketNote = 'in a virtual machine a socket to its host (vsock) may be opened'
export const keysNote =
  "keys that the kernel keeps for the service's session (keyctl) may be read, and left for other runs"
export const uringNote = 'io_uring may be used, which makes sockets that no filter is asked about'
