/**
 * The native library's functions as Deno sees them, each beside its C prototype. rust/abi/deno_ssh_proxy.h has the same
 * for C, and rust/abi/src documents them.
 *
 * @module
 */

// struct time_left { uint32_t milliseconds; };
const timeLeft = { struct: ["u32"] } as const;
// struct descriptor { int32_t fd; };
const descriptor = { struct: ["i32"] } as const;

/**
 * The functions that every connection needs. Each takes a struct, because Deno compiles a trampoline at load time for every
 * function that takes none, and these are loaded while somebody waits.
 */
export const CONNECTION_SYMBOLS = {
  // extern const uint32_t dsp_version;
  dsp_version: { type: "u32" },
  // int32_t connect_unix(const uint8_t *path, size_t path_len, struct time_left time);
  connect_unix: { parameters: ["buffer", "usize", timeLeft], result: "i32" },
  // int32_t connect_vsock(uint32_t cid, uint32_t port, struct time_left time);
  connect_vsock: { parameters: ["u32", "u32", timeLeft], result: "i32" },
  // int32_t dsp_send_bytes(int32_t fd, const uint8_t *bytes, size_t len, struct time_left time);
  dsp_send_bytes: { parameters: ["i32", "buffer", "usize", timeLeft], result: "i32" },
  // int32_t dsp_receive_bytes(int32_t fd, uint8_t *into, size_t len, uint32_t flags, struct time_left time);
  dsp_receive_bytes: { parameters: ["i32", "buffer", "usize", "u32", timeLeft], result: "i32" },
  // int32_t send_fd(int32_t channel, int32_t fd, struct time_left time);
  send_fd: { parameters: ["i32", "i32", timeLeft], result: "i32" },
  // int32_t dsp_fd_kind(struct descriptor descriptor);
  dsp_fd_kind: { parameters: [descriptor], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of the relay. */
export const RELAY_SYMBOLS = {
  // int32_t dsp_relay(int32_t from_ssh, int32_t to_ssh, struct descriptor socket);
  dsp_relay: { parameters: ["i32", "i32", descriptor], result: "i32" },
  // int32_t dsp_close_inherited(struct descriptor first);
  dsp_close_inherited: { parameters: [descriptor], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions that few connections need. */
export const RARE_SYMBOLS = {
  // int32_t dsp_close_fd(int32_t fd);
  dsp_close_fd: { parameters: ["i32"], result: "i32" },
  // int32_t dsp_is_datagram_socket(const uint8_t *path, size_t path_len);
  dsp_is_datagram_socket: { parameters: ["buffer", "usize"], result: "i32" },
  // int32_t dsp_runtime_directory(uint8_t *into, size_t len);
  dsp_runtime_directory: { parameters: ["buffer", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions that find out why a path could not be connected to. */
export const PATH_SYMBOLS = {
  // int32_t dsp_path_status(const uint8_t *path, size_t path_len, uint64_t into[5]);
  dsp_path_status: { parameters: ["buffer", "usize", "buffer"], result: "i32" },
  // int32_t dsp_proc_text(uint32_t pid, uint32_t which, uint8_t *into, size_t len);
  dsp_proc_text: { parameters: ["u32", "u32", "buffer", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions that inspect sockets and processes, for the commands. */
export const INSPECTION_SYMBOLS = {
  // As in PATH_SYMBOLS. A spread would stay in the ProxyCommand's bundle, and this whole table with it.
  dsp_path_status: { parameters: ["buffer", "usize", "buffer"], result: "i32" },
  dsp_proc_text: { parameters: ["u32", "u32", "buffer", "usize"], result: "i32" },
  // int32_t dsp_peer_credentials(int32_t fd, uint32_t into[3]);
  dsp_peer_credentials: { parameters: ["i32", "buffer"], result: "i32" },
  // int64_t dsp_local_cid(void);
  dsp_local_cid: { parameters: [], result: "i64" },
  // int32_t dsp_proc_numbers(uint32_t pid, uint32_t which, uint32_t *into, size_t count);
  dsp_proc_numbers: { parameters: ["u32", "u32", "buffer", "usize"], result: "i32" },
  // int32_t dsp_listening_sockets(struct listening_socket *sockets, size_t count);
  dsp_listening_sockets: { parameters: ["buffer", "usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The texts of `dsp_proc_text`. */
export const PROC_NAME = 0;
export const PROC_ARGUMENTS = 1;
export const PROC_ROOT = 2;
export const PROC_CWD = 3;
export const PROC_UNIX_SOCKETS = 4;
export const PROC_MOUNTS = 5;
export const PROC_ARGUMENTS_START = 6;
export const PROC_STATUS_START = 7;

/** The lists of `dsp_proc_numbers`. */
export const PROC_PROCESSES = 0;
export const PROC_SOCKETS = 1;

/** Flags of `dsp_receive_bytes`. */
export const RECEIVE_PEEK = 1;
/** With {@linkcode RECEIVE_PEEK}: wait for the whole buffer. */
export const RECEIVE_WHOLE = 2;

/** The kinds of file descriptors, by the numbers of `dsp_fd_kind`. */
export const FD_KINDS = [
  "something else",
  "unix socket",
  "other socket",
  "pipe",
  "terminal",
  "regular file",
  "null device",
] as const;

/** The functions of {@linkcode CONNECTION_SYMBOLS}, blocking or not. */
export type ConnectionCalls = {
  readonly [Name in Exclude<keyof typeof CONNECTION_SYMBOLS, "dsp_version">]: (
    ...parameters: Parameters<Deno.DynamicLibrary<typeof CONNECTION_SYMBOLS>["symbols"][Name]>
  ) => number | Promise<number>;
};
