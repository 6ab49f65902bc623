/*
 * Lightbox: a desktop from a hypervisor to a thin client, and the proof that what is shown is what was sent.
 *
 * A hypervisor makes an lbx_server and plugs in an lbx_output for each monitor. A thin client makes an lbx_client and
 * shows its surfaces. Both are told things by events: poll the event fd, then take events until there is none.
 * docs/integrating-a-hypervisor.md and docs/integrating-a-thin-client.md show the way; the programs in ffi/examples
 * are complete.
 *
 * What holds for every function:
 *
 * Results      0 is success. Out-parameters come last and are written on success alone. lbx_error_text() says more.
 * Ownership    What _new or _acquire gives is yours until _free or _release, which take NULL as well. Arguments are
 *              lent for the call and copied where they are kept, but for the memory behind an lbx_scanout.
 * Handles      Are not addresses: compare them, and look at nothing behind them. One that was freed, is of another type
 *              or never was is an LBX_ERROR_HANDLE, or the value given for NULL.
 * Threads      There is no thread affinity. Calls may be made at the same time; a _free takes effect when the calls
 *              that are under way return. No call waits for the network but the _free of servers, clients and loops.
 * Event loops  Servers and clients have threads of their own, or none where they are given an lbx_loop: then all that
 *              happens, happens in lbx_loop_dispatch(), which your loop calls.
 * Callbacks    May free anything. They must return, not throw or longjmp.
 * Structs      That begin with `size`: zero them, set `size` to sizeof. They grow at their end, and programs compiled
 *              with another version go on working: what a library does not know must be zero.
 * Numbers      That name things cross as uint32_t. New ones may come: skip those you do not know.
 * Text         UTF-8, ending with a NUL.
 * Language     C99 or later. In C++ use lightbox.hpp, or `T value{}; value.size = sizeof value;`.
 * NULL         Where nothing else is said, an LBX_ERROR_ARGUMENT.
 *
 * Nothing is shared by the users of the library in a process but the log, and that only if you set it, and the table
 * that tells which handles there are.
 */


#ifndef LIGHTBOX_H
#define LIGHTBOX_H

/* Generated from ffi/src by `cargo xtask header`: change it there. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Changes when programs must be changed; while it is 0, the minor number plays its part.
#define LBX_VERSION_MAJOR 0

// Changes when something is added.
#define LBX_VERSION_MINOR 1

// Changes when something is mended.
#define LBX_VERSION_PATCH 0

// The three in one number that compares as versions do, as lbx_version() gives it.
#define LBX_VERSION (((LBX_VERSION_MAJOR << 24) | (LBX_VERSION_MINOR << 12)) | LBX_VERSION_PATCH)

// Done.
#define LBX_OK 0

// Nothing to give now: no failure, try again when the event fd is readable.
#define LBX_AGAIN 1

// An argument is NULL, out of range, not UTF-8, or a struct whose `size` is wrong.
#define LBX_ERROR_ARGUMENT 2

// Not in this state: no scanout is set, there is no such surface or session, a surface is already held.
#define LBX_ERROR_STATE 3

// The buffer is too short.
#define LBX_ERROR_SPACE 4

// The operating system refuses a socket, a file or a thread.
#define LBX_ERROR_SYSTEM 5

// A certificate, key or address cannot be used.
#define LBX_ERROR_IDENTITY 6

// A frame is not of its output's size or format.
#define LBX_ERROR_SHAPE 7

// There is no room for one more.
#define LBX_ERROR_LIMIT 8

// Not allowed on this thread.
#define LBX_ERROR_THREAD 9

// A handle is none: it was freed, or is of another type than the function takes.
#define LBX_ERROR_HANDLE 11

// A bug of the library was caught. The object it concerns should be freed.
#define LBX_ERROR_INTERNAL 10

// Nothing is told.
#define LBX_LOG_OFF 0

// Something is broken.
#define LBX_LOG_ERROR 1

// Something is not as it should be, and was coped with.
#define LBX_LOG_WARN 2

// Clients come and go.
#define LBX_LOG_INFO 3

// For whoever looks for a fault.
#define LBX_LOG_DEBUG 4

// Everything, packets included.
#define LBX_LOG_TRACE 5

// 8 bits of gray, 1 byte a pixel.
#define LBX_FORMAT_GRAY8 8

// 9 bits of gray in 2 bytes, little-endian, the high bits 0. The values from 9 to 16 are such formats, each named by
// its significant bits.
#define LBX_FORMAT_GRAY9 9

// 10 bits of gray in 2 bytes.
#define LBX_FORMAT_GRAY10 10

// 12 bits of gray in 2 bytes.
#define LBX_FORMAT_GRAY12 12

// 16 bits of gray in 2 bytes.
#define LBX_FORMAT_GRAY16 16

// Blue, green, red and a byte that carries nothing, 8 bits each: x8r8g8b8 of little-endian machines.
#define LBX_FORMAT_BGRX8 32

// Ten bits of blue, green and red from bit 0 of a little-endian 32-bit number, and two bits that carry nothing:
// x2r10g10b10 of little-endian machines, "depth 30".
#define LBX_FORMAT_BGRX10 30

// For settings whose 0 means the default: none at all.
#define LBX_NONE 4294967295

// The person may see, and give input.
#define LBX_ROLE_CONTROL 0

// The person may see; the server drops input.
#define LBX_ROLE_VIEW 1

// A key: `code` is Linux evdev's (KEY_A is 30), a place on the keyboard and not a letter; `pressed`.
#define LBX_INPUT_KEY 1

// A pointer button: `code` (LBX_BUTTON_*), `pressed`, and where: `output`, `x`, `y`, inside that monitor. `LBX_NO_OUTPUT`
// while the pointer is relative, and when the button is let go for a person who is gone: then where the pointer is.
#define LBX_INPUT_BUTTON 2

// The pointer is at a place: `output`, `x`, `y`.
#define LBX_INPUT_POINTER 3

// The pointer moved by `dx`, `dy` in 1/256 pixel.
#define LBX_INPUT_MOTION 4

// The wheel turned by `dx`, `dy` in 1/120 notch; down and right are positive.
#define LBX_INPUT_WHEEL 5

// Text of an input method: `text`, `text_len`.
#define LBX_INPUT_TEXT 6

// A finger or pen: `touch`, `phase`, `output`, `x`, `y`, `pressure`.
#define LBX_INPUT_TOUCH 7

// The terminal's lock keys: `locks`.
#define LBX_INPUT_LOCKS 8

// BTN_LEFT of evdev.
#define LBX_BUTTON_LEFT 272

// BTN_RIGHT.
#define LBX_BUTTON_RIGHT 273

// BTN_MIDDLE.
#define LBX_BUTTON_MIDDLE 274

// No output: of a button while the pointer is relative.
#define LBX_NO_OUTPUT 4294967295

// A touch begins.
#define LBX_TOUCH_DOWN 0

// It goes on elsewhere.
#define LBX_TOUCH_MOVE 1

// It ends.
#define LBX_TOUCH_UP 2

// It is void.
#define LBX_TOUCH_CANCEL 3

// Caps Lock.
#define LBX_LOCK_CAPS 1

// Num Lock.
#define LBX_LOCK_NUM 2

// Scroll Lock.
#define LBX_LOCK_SCROLL 4

// The longest text of one lbx_client_text(), in bytes.
#define LBX_TEXT_MAX 1024

// H.264, access units in the byte stream format of Annex B.
#define LBX_CODEC_H264 16

// HEVC, the same.
#define LBX_CODEC_HEVC 17

// AV1, temporal units of the low-overhead format.
#define LBX_CODEC_AV1 18

// The unit is decoded without those before it, and has all that a decoder must know in front.
#define LBX_UNIT_KEY 1

// Its samples use all 256 values; 16 to 235 and 240 otherwise.
#define LBX_UNIT_FULL_RANGE 2

// Its colours are by the matrix of BT.601; by that of BT.709 otherwise.
#define LBX_UNIT_BT601 4

// A client comes in with a ticket of lbx_server_address() or lbx_server_ticket(), once.
#define LBX_ADMIT_TICKETS 0

// A client comes in with a certificate of `authorities`.
#define LBX_ADMIT_CERTIFICATES 1

// `LBX_SERVER_KNOCK` tells of a client at the door, and lbx_server_answer() lets it in or not.
#define LBX_ADMIT_ASK 2

// Room for any address.
#define LBX_ADDRESS_SPACE 384

// The pixels are at `data`, or `read` gives them.
#define LBX_MEMORY_POINTER 0

// The pixels are in the file `fd` from `offset` on: a memfd or other shared memory. One that is sealed with
// F_SEAL_SHRINK is looked at in place; any other is read into memory of the library's, as whoever truncates it would
// end the process: one copy more.
#define LBX_MEMORY_FILE 1

// The pixels are in the dmabuf `fd`, one plane from `offset` on, with `modifier`. It is looked at in place, between
// DMA_BUF_IOCTL_SYNC. A file that does not know this call is taken as with LBX_MEMORY_FILE.
#define LBX_MEMORY_DMABUF 2

// The image's pixel that lies there.
#define LBX_KERNEL_NEAREST 0

// Bilinear as in Chromium and Skia without a GPU: positions cut to sixteenths of a pixel, sums rounded down. 1 to 8 stand
// for bilinear kernels with so many binary places of a position.
#define LBX_KERNEL_SKIA 4

// Added to the places of a bilinear kernel whose sums are rounded to the nearest number, halves up.
#define LBX_KERNEL_ROUNDED 16

// Nothing is shown with an error, however thin the path is: the person waits for the exact picture.
#define LBX_CONTRACT_NEVER_LOSSY 1

// Changes are sent before those of other parts, and made exact before others are, within `within_ms`: from the capture
// to the frame that brings the source's samples. What takes longer is counted in `late_tiles` of lbx_session_stats,
// and told by `LBX_SERVER_LATE`.
#define LBX_CONTRACT_EXACT_WITHIN 2

// The longest side of a cursor.
#define LBX_CURSOR_MAX 256

// The side of a tile in pixels.
#define LBX_TILE 64

// Changed at the source, or never shown.
#define LBX_TILE_DIRTY 0

// A first pass is shown, or video.
#define LBX_TILE_PAINTED 1

// Passes toward the source are under way.
#define LBX_TILE_REFINING 2

// All samples were sent and painted.
#define LBX_TILE_EXACT 3

// The server has said, not long ago, that what this client shows is what the source has.
#define LBX_TILE_VERIFIED 4

// It was verified, but word from the server is overdue.
#define LBX_TILE_STALE 5

// What lbx_client_tile_error() says of a tile of which nothing is known, or that shows video.
#define LBX_TILE_ERROR_UNKNOWN 4294967295

// The stream's bytes go before frames: few and small.
#define LBX_URGENCY_URGENT 0

// They go after frames.
#define LBX_URGENCY_NORMAL 1

// They go last.
#define LBX_URGENCY_BULK 2

// Event of servers and clients: the other end's application opened a byte stream: `stream`, `text` is its name,
// `urgency`. Take it or refuse it.
#define LBX_STREAM_OFFERED 16

// Event of both: the other end took it: `stream`.
#define LBX_STREAM_ACCEPTED 17

// Event of both: there are bytes, or the end, to read: `stream`. Told after a read that said `LBX_AGAIN`, and for the
// first bytes.
#define LBX_STREAM_READABLE 18

// Event of both: there is credit again: `stream`. Told after a write that was not taken whole.
#define LBX_STREAM_WRITABLE 19

// Event of both: the stream is over, was refused, or was lost with the connection: `stream`, `code`, `text`. What was
// not read is gone. Free its handle.
#define LBX_STREAM_CLOSED 20

// The server let the client in: `session`, `resumed`, `role`.
#define LBX_CLIENT_CONNECTED 1

// There is a surface of this size: `surface`, `w`, `h`, `format`. It is blank unless it goes on from before.
#define LBX_CLIENT_SURFACE 2

// The surface is no more: `surface`.
#define LBX_CLIENT_SURFACE_GONE 3

// Where monitors are, and which surface each shows: `places`.
#define LBX_CLIENT_LAYOUT 4

// Samples changed: `surface`, `rects`, `frame`, `captured_us`, `age_us`.
#define LBX_CLIENT_UPDATED 5

// Tiles are proved to show the source's samples: `surface`, `tiles`.
#define LBX_CLIENT_VERIFIED 6

// The cursor's picture: `w`, `h`, its hotspot `x`, `y`, `bgra`.
#define LBX_CLIENT_CURSOR_SHAPE 7

// The server moved the cursor: `output`, `x`, `y`, `visible`.
#define LBX_CLIENT_CURSOR_AT 8

// The guest's lock keys: `locks`.
#define LBX_CLIENT_LEDS 9

// The connection is gone, and the client tries to get it back: `code`, `text`. Told again when another reason keeps it
// from that.
#define LBX_CLIENT_LOST 10

// The session is over, and nothing follows: `code`, `text`.
#define LBX_CLIENT_ENDED 11

// A time that is not known.
#define LBX_UNKNOWN UINT64_MAX

// A person came in: `session`; `text` is what the terminal calls itself.
#define LBX_SERVER_JOINED 1

// The session's connection is there again: `session`.
#define LBX_SERVER_RESUMED 2

// The session's connection is gone, and it waits for its client: `session`, `code`, `text`.
#define LBX_SERVER_DETACHED 3

// The session is over: `session`, `code`, `text`.
#define LBX_SERVER_LEFT 4

// The person did something: `session`, `input`.
#define LBX_SERVER_INPUT 5

// The terminal would like these monitors: `session`, `places`. lbx_output_resize() follows it if the guest does.
#define LBX_SERVER_WANT_LAYOUT 6

// Tiles reached the client other than they left, and are sent again: `session`, `tiles`.
#define LBX_SERVER_MISMATCH 7

// The sweep found changes that no damage had reported, and sends them: `output`, `tiles`.
#define LBX_SERVER_UNDER_REPORTED 8

// What was shown before lbx_output_notify() has been taken: `output`, `cookie`; `sessions` is how many connected ones did
// not take it within a second.
#define LBX_SERVER_FRAME_DONE 9

// Tiles took longer than LBX_CONTRACT_EXACT_WITHIN allows: `session`, `output`, `tiles`.
#define LBX_SERVER_LATE 10

// A client is at the door, with LBX_ADMIT_ASK: `knock`, for lbx_server_answer(); `text` is what the terminal calls
// itself; `address`, `ticket`, `certificate`.
#define LBX_SERVER_KNOCK 11

// Somebody who decodes video came in the middle of a monitor's run, or could not go on with it: `output`. The host's
// encoder may make its next unit a key frame. Told twice a second at most; until then they are served without video.
#define LBX_SERVER_WANT_KEY_FRAME 12

// A terminal's end of a session. Owned: from lbx_client_new() to lbx_client_free(). It has threads of its
// own, or runs on an lbx_loop; several may live in one process and share nothing else. All functions may be called on
// any thread, at the same time, unless they say otherwise.
typedef struct lbx_client lbx_client;

// What stands behind one file descriptor of the application's own event loop: the sockets and timers of the servers
// and clients whose configuration names it. They have no threads then; everything of theirs happens in
// lbx_loop_dispatch(), frames and painting included. Owned: from lbx_loop_new() to lbx_loop_free(). Linux only.
typedef struct lbx_loop lbx_loop;

// One monitor of a server's desktop. Owned: from lbx_output_new() to lbx_output_free(). All functions may be called on
// any thread, at the same time, and do not wait for a client.
typedef struct lbx_output lbx_output;

// A desktop that clients can connect to. Owned: from lbx_server_new() to lbx_server_free(). It has threads of its
// own, or runs on an lbx_loop; several may live in one process and share nothing else. All functions may be called on
// any thread, at the same time.
typedef struct lbx_server lbx_server;

// One end of a byte stream. Owned: until lbx_stream_free(), before or after the end of its server or client. All
// functions may be called on any thread, at the same time, and none waits. It ends with the connection; after a resume
// open a new one.
typedef struct lbx_stream lbx_stream;

// A client's surface, held still. Owned: from lbx_surface_acquire() to lbx_surface_release().
typedef struct lbx_surface lbx_surface;

// What a function says of itself: `LBX_OK`, `LBX_AGAIN`, or why it failed. New values may come; treat those you do
// not know as failures.
typedef uint32_t lbx_result;

// Called with one line, without its end: `target` is the part of the library that speaks. Both texts are valid until
// it returns. It runs on any thread, also the library's own, and perhaps while the library holds locks: it may call
// `_free` functions, lbx_error_text(), lbx_result_text() and lbx_version(), and nothing else of this library.
typedef void (*lbx_log_fn)(void *userdata, uint32_t level, const char *target, const char *text);

// How a server is. Zero it and set `size`: what is 0 or NULL is the default.
typedef struct lbx_server_config {
    // sizeof(lbx_server_config).
    size_t size;
    // An IP address and port, as `0.0.0.0:7700` or `[::]:7700` (which takes IPv4 as well); port 0 lets the system
    // choose. Must be set.
    const char *listen;
    // A PEM file with a certificate chain and its key. If there is no such file it is made, readable by its owner
    // alone. Default: an identity made at the start, so that addresses change with it.
    const char *identity_path;
    // PEM text of the certificates that vouch for clients. Default: none is asked for.
    const char *authorities;
    // LBX_ADMIT_*.
    uint32_t admit;
    // 1: a ticket admits again and again, for tests and trusted networks.
    uint32_t keep_tickets;
    // Sessions at one time. Each costs a picture of each monitor and about 2 MiB. Default: 16.
    uint32_t max_sessions;
    // How long a session whose connection was lost waits for its client, in milliseconds. Default: 120000.
    uint32_t life_ms;
    // Threads that code, beside the one that leads them; `LBX_NONE` for none. Default: one for each further core, at
    // most 3; none on an lbx_loop.
    uint32_t workers;
    // Tiles outside the damage that each submit compares, in turn, to find damage that was not reported; `LBX_NONE`
    // trusts the host. Default: 8, about 10 microseconds.
    uint32_t sweep;
    // Byte streams that each side of a session may have open at one time, at most 24. Each holds up to 256 KiB that nobody
    // has read. Default: 0, none.
    uint32_t streams;
    // 0.
    uint32_t reserved;
    // The most memory, in bytes, that a client is asked to use for tiles that may be shown again; here each costs about
    // 200 bytes. `LBX_NONE`: none. Default: 67108864.
    uint64_t slot_memory;
    // A connection of which nothing was heard for so long is lost, in milliseconds. The shorter of both sides' counts.
    // Default: 30000.
    uint32_t idle_timeout_ms;
    // How long a client at the door waits for lbx_server_answer(), in milliseconds. Default: 30000.
    uint32_t ask_ms;
    // A loop that the application turns: the server has no thread then, unless `workers` asks for some, and its monitors
    // may be used on any thread all the same. Default: threads of its own.
    struct lbx_loop *loop;
} lbx_server_config;

// Where a monitor stands on the desktop.
typedef struct lbx_place {
    // The monitor, by lbx_output_id().
    uint32_t output;
    // The client's surface that it shows.
    uint32_t surface;
    // Its left edge in desktop pixels.
    int32_t x;
    // Its top edge in desktop pixels.
    int32_t y;
    // Columns.
    uint32_t w;
    // Rows.
    uint32_t h;
    // Its width in millimetres; 0 if not known.
    uint32_t width_mm;
    // The guest's scale in 1/120: 120 is 1:1.
    uint32_t scale;
} lbx_place;

// Names a session across its connections.
typedef struct lbx_session_id {
    // Random.
    uint8_t bytes[16];
} lbx_session_id;

// One thing that the person did. What does not belong to its kind is 0.
typedef struct lbx_input {
    // UTF-8, with a NUL behind it; valid as long as the event it stands in.
    const char *text;
    // Bytes of `text` without the NUL.
    size_t text_len;
    // LBX_INPUT_*.
    uint32_t kind;
    // Linux evdev key or button code.
    uint32_t code;
    // 1 down, 0 up.
    uint32_t pressed;
    // The monitor, by lbx_output_id().
    uint32_t output;
    // Column of the monitor.
    uint32_t x;
    // Row of the monitor.
    uint32_t y;
    // To the right.
    int32_t dx;
    // Downwards.
    int32_t dy;
    // Which finger.
    uint32_t touch;
    // LBX_TOUCH_*.
    uint32_t phase;
    // 0 (not known) to 65535.
    uint32_t pressure;
    // LBX_LOCK_* bits.
    uint32_t locks;
} lbx_input;

// What a server tells its application: LBX_SERVER_*, and LBX_STREAM_* with `session`. What does not belong to its kind is 0 or NULL. Skip kinds you do not know.
typedef struct lbx_server_event {
    // sizeof(lbx_server_event).
    size_t size;
    // A terminal's name, or a reason: UTF-8, with a NUL behind it. A peer wrote it: nobody vouches for it.
    const char *text;
    // Where the terminal would like monitors.
    const struct lbx_place *places;
    // How many.
    size_t places_len;
    // LBX_SERVER_*.
    uint32_t kind;
    // Which session.
    struct lbx_session_id session;
    // Why a connection or session ended, by the numbers of SPEC.md: 0 is the person's or the program's wish.
    uint32_t code;
    // How many tiles.
    uint32_t tiles;
    // Which monitor.
    uint32_t output;
    // What the person did.
    struct lbx_input input;
    // Which byte stream.
    uint64_t stream;
    // LBX_URGENCY_*.
    uint32_t urgency;
    // How many sessions.
    uint32_t sessions;
    // What lbx_output_notify() was given.
    uint64_t cookie;
    // For lbx_server_answer().
    uint64_t knock;
    // Where the client is: an IP address and port.
    const char *address;
    // The ticket it brought; empty if none. A peer wrote it.
    const char *ticket;
    // Whom its certificate names, which one of the configured authorities signed: DNS names, then URIs, a space
    // between them. NULL if it showed none.
    const char *certificate;
} lbx_server_event;

// A callback of the application. It must return, and not by an exception or longjmp.
typedef void (*lbx_callback)(void *userdata);

// A rectangle of pixels: columns x to x+w-1, rows y to y+h-1.
typedef struct lbx_rect {
    // Leftmost column.
    uint32_t x;
    // Topmost row.
    uint32_t y;
    // Columns.
    uint32_t w;
    // Rows.
    uint32_t h;
} lbx_rect;

// Copies this part of the picture to `to`, rows `stride` bytes apart: how pixels come that only a GPU can read. 0:
// done; anything else fails the call that looks.
typedef int (*lbx_read_fn)(void *userdata, const struct lbx_rect *rect, void *to, size_t stride);

// The buffer that the guest's display shows now, kept by an output until it gets another.
typedef struct lbx_scanout {
    // sizeof(lbx_scanout).
    size_t size;
    // The first byte of the top row. Stays readable until `release` is called. NULL where the pixels are elsewhere.
    const void *data;
    // Bytes from one row to the next; not looked at with `read`.
    size_t stride;
    // Given to the callbacks.
    void *userdata;
    // Called once, when the library does not look at the pixels any more; NULL if nobody cares. On any thread that is in
    // a call of this library.
    lbx_callback release;
    // Called before each look, on the thread whose call looks; NULL if none is needed. For hosts that can keep the guest
    // from writing meanwhile.
    lbx_callback lock;
    // Called after each look; NULL if none is needed.
    lbx_callback unlock;
    // Columns, 1 to 16384.
    uint32_t w;
    // Rows, 1 to 16384.
    uint32_t h;
    // LBX_FORMAT_*; 0 if `fourcc` says it.
    uint32_t format;
    // LBX_MEMORY_*.
    uint32_t memory;
    // For memory that no processor can read, tiled dmabufs and textures: fills the library's copy where it is damaged.
    // `data` is NULL then, and LBX_MEMORY_POINTER set. What is not reported is not found by the sweep. Called between
    // `lock` and `unlock`; it must not show or damage this monitor.
    lbx_read_fn read;
    // A descriptor of the file or dmabuf. The library makes one of its own: close yours when you like.
    int fd;
    // The format by the number of drm_fourcc.h, instead of `format`: XR24, AR24, XR30, AR30, R8 or R16.
    uint32_t fourcc;
    // Bytes before the top row in the file.
    uint64_t offset;
    // The layout of a dmabuf by drm_fourcc.h: DRM_FORMAT_MOD_LINEAR, which is 0. For any other give `read`.
    uint64_t modifier;
} lbx_scanout;

// A picture in memory: `h` rows of `w` pixels, `stride` bytes from one row to the next. The last row may end without
// its padding.
typedef struct lbx_frame {
    // sizeof(lbx_frame).
    size_t size;
    // The first byte of the top row.
    const void *data;
    // Bytes from one row to the next.
    size_t stride;
    // When the picture was taken: microseconds of CLOCK_MONOTONIC; 0 means now, and is all
    // that there is on Windows.
    uint64_t captured_us;
    // Columns, 1 to 16384.
    uint32_t w;
    // Rows, 1 to 16384.
    uint32_t h;
    // LBX_FORMAT_*.
    uint32_t format;
    // 0.
    uint32_t reserved;
} lbx_frame;

// One coded picture: decoded at once, without reordering, 8 bits and 4:2:0. A key frame begins a run, whose other units
// have the same codec and rect.
typedef struct lbx_access_unit {
    // sizeof(lbx_access_unit).
    size_t size;
    // Its bytes.
    const void *data;
    // How many: 1 to 8323072.
    size_t len;
    // Where its picture stands on the monitor; the coded picture may be up to 63 columns and rows larger. To a decoder
    // x and y are 0, and w and h are what is to be painted.
    struct lbx_rect rect;
    // LBX_CODEC_*.
    uint32_t codec;
    // LBX_UNIT_*.
    uint32_t flags;
} lbx_access_unit;

// An image that the monitor's picture shows scaled.
typedef struct lbx_scaled {
    // sizeof(lbx_scaled).
    size_t size;
    // Where the picture shows it, at most 4194304 pixels. What lies over it may be anything.
    struct lbx_rect rect;
    // The image before it was scaled: LBX_FORMAT_GRAY8, or LBX_FORMAT_BGRX8 on a monitor of that. At most 1048576 of its
    // pixels are shown.
    const struct lbx_frame *image;
    // LBX_KERNEL_*, or the number of binary places.
    uint32_t kernel;
    // Always 0.
    uint32_t reserved;
    // Where the rect's first column lies in the image, in 1/4294967296 pixels; the middle of the first pixel is at 0.
    int64_t x_origin;
    // From one column to the next. 0 if the image fills the rect from edge to edge: the other three are not looked at then.
    uint64_t x_step;
    // The same for rows.
    int64_t y_origin;
    // The same for rows.
    uint64_t y_step;
} lbx_scaled;

// Gives memory for a surface of `w` by `h` pixels of `format` (LBX_FORMAT_*): the first byte of `h` rows, and in
// `*stride`, which is the least there can be, the bytes from one to the next. The last row needs no padding. NULL: there
// is none, and the session ends.
typedef void *(*lbx_allocate_fn)(void *userdata,
                                 uint32_t surface,
                                 uint32_t w,
                                 uint32_t h,
                                 uint32_t format,
                                 size_t *stride);

// Takes back what lbx_allocate_fn gave: it is wiped, and not looked at any more.
typedef void (*lbx_free_fn)(void *userdata, void *data);

// Where a client's surfaces have their samples, so that a terminal can have pictures painted where its display finds
// them: dumb buffers, shared memory. Both callbacks run on the client's own thread, one at a time; they may call
// anything. Nobody else writes to the memory meanwhile. Who reads it without lbx_surface_acquire() sees frames that are
// half painted.
typedef struct lbx_allocator {
    // sizeof(lbx_allocator).
    size_t size;
    // Given to both callbacks. It must be there until the client has ended and every piece of memory is back.
    void *userdata;
    // Must be set.
    lbx_allocate_fn allocate;
    // Must be set.
    lbx_free_fn free;
} lbx_allocator;

// Makes a decoder for one stream of this codec (LBX_CODEC_*); NULL: there is none to be had just now.
typedef void *(*lbx_decoder_open_fn)(void *userdata, uint32_t codec);

// Decodes `unit` and paints its picture: `unit->rect.h` rows of `unit->rect.w` pixels of LBX_FORMAT_BGRX8 at `pixels`,
// `stride` bytes from one row to the next. The fourth byte of a pixel is anything. 0: done. Anything else: the unit
// gives no such picture; then the decoder is closed, and what it should have shown comes otherwise. A key frame begins
// anew, in another size perhaps. The unit is from the network: what it asks for must be compared with what is painted
// before memory is reserved for it.
typedef int (*lbx_decoder_decode_fn)(void *decoder,
                                     const struct lbx_access_unit *unit,
                                     void *pixels,
                                     size_t stride);

// Ends a decoder that was opened.
typedef void (*lbx_decoder_close_fn)(void *decoder);

// Who decodes video for a client: one decoder for each surface that shows some. The callbacks run on the client's own
// threads, one at a time for a client; they may call anything but lbx_client_free() of that client.
typedef struct lbx_decoder {
    // sizeof(lbx_decoder).
    size_t size;
    // Given to `open`. It must be there until the client has ended.
    void *userdata;
    // The codecs that are decoded, LBX_CODEC_*; copied.
    const uint32_t *codecs;
    // How many.
    size_t codecs_len;
    // Must be set.
    lbx_decoder_open_fn open;
    // Must be set.
    lbx_decoder_decode_fn decode;
    // Must be set.
    lbx_decoder_close_fn close;
} lbx_decoder;

// How a client is. Zero it and set `size`: what is 0 or NULL is the default.
typedef struct lbx_client_config {
    // sizeof(lbx_client_config).
    size_t size;
    // The line that the server gave, "lightbox://host:port/TICKET#FINGERPRINT". Must be set.
    const char *address;
    // What the terminal calls itself. Default: "lightbox".
    const char *terminal;
    // PEM text of the certificates that vouch for servers whose address has no fingerprint. Default: nobody does.
    const char *authorities;
    // A PEM file with the certificate chain and key for servers that ask for one; made if it is not there. Default:
    // none.
    const char *identity_path;
    // The most pixels of all surfaces together, up to 4 bytes each. Default: 67108864, eight 4K monitors.
    uint64_t max_pixels;
    // Byte streams that each side may have open at one time, at most 24. Each holds up to 256 KiB that nobody has read.
    // Default: 0, none.
    uint32_t streams;
    // 1: H.264 that `decoder` does not name is decoded in software: C++ that is fed from the network. Only where the
    // library was built with that; otherwise lbx_client_new() says `LBX_ERROR_ARGUMENT`.
    uint32_t software_video;
    // The most memory, in bytes, for tiles that may be shown again; it is used as it is filled, and wiped with the
    // session. `LBX_NONE`: none. Default: 67108864.
    uint64_t slot_memory;
    // Where surfaces have their samples; it is copied. Default: in memory of the library.
    const struct lbx_allocator *allocator;
    // A connection of which nothing was heard for so long is lost, in milliseconds. The shorter of both sides' counts.
    // Default: 30000.
    uint32_t idle_timeout_ms;
    // 1: nothing is ever shown with an error; a thin path keeps the person waiting for the exact picture instead.
    uint32_t exact_only;
    // Who decodes video; the struct is copied. Default: nobody, and moving pictures come as all else does.
    const struct lbx_decoder *decoder;
    // A loop that the application turns: the client has no thread then, but one that looks up the server's name and ends
    // with that; an IP address needs none. Default: threads of its own.
    struct lbx_loop *loop;
    // The most models of the screen codec that are kept, at most 8, in 1.2 MB each; they are used as they are filled, and
    // wiped with the session. With four the text of a desktop costs a fraction of its bytes also where the network loses
    // some. `LBX_NONE`: none. Default: 4.
    uint32_t models;
    // 0.
    uint32_t reserved;
} lbx_client_config;

// What a client tells its application: LBX_CLIENT_*, and LBX_STREAM_*. What does not belong to its kind is 0 or NULL. Skip kinds you do not know.
typedef struct lbx_client_event {
    // sizeof(lbx_client_event).
    size_t size;
    // A reason: UTF-8, with a NUL behind it.
    const char *text;
    // Where samples changed; they may overlap.
    const struct lbx_rect *rects;
    // How many.
    size_t rects_len;
    // Which tiles: row by row from the top left, each 64x64 pixels.
    const uint32_t *tiles;
    // How many.
    size_t tiles_len;
    // Where monitors are.
    const struct lbx_place *places;
    // How many.
    size_t places_len;
    // The cursor: w*h pixels of blue, green, red and alpha, colour already multiplied by alpha.
    const uint8_t *bgra;
    // Its bytes.
    size_t bgra_len;
    // The frame's number.
    uint64_t frame;
    // When its picture was taken, on the server's clock in microseconds; `LBX_UNKNOWN` where the frame does not say: small
    // ones do a few times in a second.
    uint64_t captured_us;
    // How long after that it was painted, give or take half a round trip; `LBX_UNKNOWN` at first, and where
    // `captured_us` is.
    uint64_t age_us;
    // LBX_CLIENT_*.
    uint32_t kind;
    // Which session.
    struct lbx_session_id session;
    // Why a connection or session ended, by the numbers of SPEC.md: 0 is the person's or the program's wish.
    uint32_t code;
    // LBX_ROLE_*.
    uint32_t role;
    // 1: the session goes on where it was before the connection was lost.
    uint32_t resumed;
    // Which surface.
    uint32_t surface;
    // Columns.
    uint32_t w;
    // Rows.
    uint32_t h;
    // LBX_FORMAT_*.
    uint32_t format;
    // Which monitor.
    uint32_t output;
    // Column.
    uint32_t x;
    // Row.
    uint32_t y;
    // 1: the cursor shows.
    uint32_t visible;
    // LBX_LOCK_* bits.
    uint32_t locks;
    // Which byte stream.
    uint64_t stream;
    // LBX_URGENCY_*.
    uint32_t urgency;
    // 0.
    uint32_t reserved;
} lbx_client_event;

// How many tiles are in which state.
typedef struct lbx_counts {
    // sizeof(lbx_counts).
    size_t size;
    // All tiles.
    uint32_t total;
    // Tiles painted with the source's samples, verified ones included.
    uint32_t exact;
    // Tiles verified; none while word from the server is overdue.
    uint32_t verified;
    // Tiles that show the source's samples with a stated error, on their way to exact: painted and refining ones. None
    // of them counts as exact.
    uint32_t refining;
    // The largest of those errors, in sample values.
    uint32_t max_error;
    // 0.
    uint32_t reserved;
} lbx_counts;

// One step of a touch, for lbx_client_touch().
typedef struct lbx_touch {
    // Which finger, 0 to 255; free for reuse after LBX_TOUCH_UP or LBX_TOUCH_CANCEL.
    uint32_t touch;
    // LBX_TOUCH_*.
    uint32_t phase;
    // The monitor.
    uint32_t output;
    // Column of the monitor.
    uint32_t x;
    // Row of the monitor.
    uint32_t y;
    // 0 (not known) to 65535.
    uint32_t pressure;
} lbx_touch;

// What a client received.
typedef struct lbx_client_stats {
    // sizeof(lbx_client_stats).
    size_t size;
    // Frames painted.
    uint64_t frames;
    // Frames that could not be painted.
    uint64_t failed;
    // Time spent decoding and painting, in microseconds.
    uint64_t paint_us;
    // Bytes on the wire, both ways, over all connections.
    uint64_t wire_bytes;
    // Round-trip time in microseconds.
    uint64_t rtt_us;
    // How often the session went on over another connection.
    uint64_t resumed;
} lbx_client_stats;

// What became of what one session was sent, since it joined.
typedef struct lbx_session_stats {
    // sizeof(lbx_session_stats).
    size_t size;
    // Frames sent.
    uint64_t frames;
    // Bytes of those frames, before the transport's headers.
    uint64_t frame_bytes;
    // Frames acknowledged.
    uint64_t shown;
    // Tiles that reached the client other than they left.
    uint64_t mismatches;
    // Age of the newest acknowledged frame when the acknowledgement came, in microseconds.
    uint64_t age_us;
    // Time spent making frames, in microseconds.
    uint64_t encode_us;
    // Round-trip time in microseconds.
    uint64_t rtt_us;
    // All tiles.
    uint32_t total;
    // Tiles sent in full.
    uint32_t exact;
    // Tiles proved.
    uint32_t verified;
    // Tiles that the client shows with a stated error, on their way to exact.
    uint32_t refining;
    // Bytes on the wire of the present connection, both ways, IP and UDP headers included.
    uint64_t wire_bytes;
    // Tiles that took longer than LBX_CONTRACT_EXACT_WITHIN allows.
    uint64_t late_tiles;
    // The largest error that the client shows, in sample values.
    uint32_t max_error;
    // 0.
    uint32_t reserved;
} lbx_session_stats;

// What became of what one monitor was given.
typedef struct lbx_output_stats {
    // sizeof(lbx_output_stats).
    size_t size;
    // Frames submitted.
    uint64_t submitted;
    // Tiles that had changed.
    uint64_t changed_tiles;
    // Tiles damaged by the host's word that had not changed.
    uint64_t false_tiles;
    // Tiles that had changed without the host's word.
    uint64_t under_reported;
    // Bytes of pixels taken from frames by the host's word: each is read once, compared, and copied into the library's
    // own picture.
    uint64_t taken_bytes;
    // The same for tiles that the sweep looked at.
    uint64_t swept_bytes;
    // Bytes that were copied once more, before, to be looked at safely: out of files that can be truncated, and by a
    // scanout's `read`.
    uint64_t staged_bytes;
} lbx_output_stats;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that runs; `LBX_VERSION` is that of the header.
// Threads: any. since 0.1
uint32_t lbx_version(void);

// The same for people, as "0.1.0". Static; never NULL.
// Threads: any. since 0.1
const char *lbx_version_text(void);

// A short text for a result, for logs. Static; never NULL.
// Threads: any. since 0.1
const char *lbx_result_text(lbx_result result);

// What the last failed call on this thread has to say, for people. Never NULL; empty before the first failure.
// Valid until the next failure on this thread, or the thread's end.
// Threads: any; each has its own. since 0.1
const char *lbx_error_text(void);

// Sends what the library has to tell, up to `level`, to `callback`; NULL or `LBX_LOG_OFF` ends that. Nothing is told
// before the first call. This is the one setting of a whole process, so only the application itself should make it.
// When it returns, an earlier callback no longer runs and its userdata is free.
// Errors: `LBX_ERROR_STATE` in a log callback, or where a program in Rust has installed a tracing subscriber of its
// own (which then hears everything).
// Threads: any. since 0.1
lbx_result lbx_log_set(uint32_t level,
                       lbx_log_fn callback,
                       void *userdata);

// Makes a loop with nothing on it.
// Ownership: `*out` is the caller's, to lbx_loop_free().
// Errors: `LBX_ERROR_SYSTEM` where there are no descriptors left, or the system is not Linux.
// Threads: any. since 0.1
lbx_result lbx_loop_new(struct lbx_loop **out);

// Ends the loop. Free its servers and clients before: they say goodbye in the turns after that, and here, for up to
// about a second. What still runs on it ends; a client says so with `LBX_CLIENT_ENDED`. NULL is allowed.
// Threads: any, in callbacks too: the loop then ends on another thread, soon after. since 0.1
void lbx_loop_free(struct lbx_loop *loop);

// A file descriptor that is readable while something is due, deadlines included: watch it with poll, select or epoll,
// level-triggered, and call lbx_loop_dispatch() when it is readable. Do not read, write or close it; it is closed with
// the loop. -1 for NULL.
// Threads: any. since 0.1
int lbx_loop_fd(const struct lbx_loop *loop);

// How many milliseconds from now lbx_loop_dispatch() is to be called at the latest, if lbx_loop_fd() is not readable
// before; -1 for never. It is readable by then all the same, so only hosts that would rather have timers of their own
// need this. -1 for NULL.
// Threads: any. since 0.1
int lbx_loop_timeout_ms(const struct lbx_loop *loop);

// Does what is due, and returns after a few milliseconds even if more is: `*more` becomes true then, and the file
// descriptor stays readable, so that other work has its turn. A frame that is being made is made to its end, however
// large it is. `more` may be NULL. Take the events of its servers and clients after it.
// Errors: `LBX_ERROR_STATE` in a callback, `LBX_ERROR_THREAD` while another thread is in this function for this loop,
// `LBX_ERROR_SYSTEM`; nothing was done then.
// Threads: any, one at a time. since 0.1
lbx_result lbx_loop_dispatch(struct lbx_loop *loop,
                             bool *more);

// Starts a server without monitors.
// Ownership: `*out` is the caller's, to lbx_server_free(). The config is copied.
// Errors: `LBX_ERROR_SYSTEM` if the port is taken, `LBX_ERROR_IDENTITY`, `LBX_ERROR_ARGUMENT`, `LBX_ERROR_HANDLE` if
// `loop` is none.
// Threads: any. since 0.1
lbx_result lbx_server_new(const struct lbx_server_config *config,
                          struct lbx_server **out);

// Tells every client that the server goes away and ends it; takes up to about a second, or no time on an lbx_loop, with
// whose next turns the goodbyes leave. Monitors that are left stay valid handles that show nobody anything. NULL is
// allowed.
// Threads: any, in callbacks too: the server then ends on another thread, soon after. since 0.1
void lbx_server_free(struct lbx_server *server);

// A file descriptor that becomes readable when events wait: poll it, and call lbx_server_next_event() until it says
// `LBX_AGAIN`. Do not read, write or close it; it is closed with the server. -1 for NULL.
// On Windows it is the number of an event object, for WaitForMultipleObjects: `(HANDLE)(intptr_t)fd`.
// Threads: any. since 0.1
int lbx_server_event_fd(const struct lbx_server *server);

// Takes the next event; set `event->size` before. Read steadily: a session whose input nobody reads is closed.
// Ownership: the event's pointers are valid until the next call of this function for this server, on any thread, or
// the server's end.
// Errors: `LBX_AGAIN` if there is none; it does not wait.
// Threads: any, but as the pointers go with the next call, best one. since 0.1
lbx_result lbx_server_next_event(struct lbx_server *server,
                                 struct lbx_server_event *event);

// The port it listens at. 0 for NULL.
// Threads: any. since 0.1
uint16_t lbx_server_port(const struct lbx_server *server);

// True if every session's client has everything that was submitted, and proved it; so also while there is no session.
// False for NULL.
// Threads: any. since 0.1
bool lbx_server_is_settled(const struct lbx_server *server);

// The guest's lock keys, for the lamps of the keyboards: LBX_LOCK_* bits.
// Threads: any. since 0.1
lbx_result lbx_server_set_leds(struct lbx_server *server, uint32_t locks);

// The names of the sessions there are. `ids` has room for `space` of them; `*len` becomes how many there are, which may
// be more than were written. `ids` may be NULL if `space` is 0.
// Threads: any. since 0.1
lbx_result lbx_server_sessions(const struct lbx_server *server,
                               struct lbx_session_id *ids,
                               size_t space,
                               size_t *len);

// Ends a session. `reason` is for the person; NULL if there is none.
// Errors: `LBX_ERROR_STATE` if there is no such session.
// Threads: any. since 0.1
lbx_result lbx_server_disconnect(struct lbx_server *server,
                                 const struct lbx_session_id *session,
                                 const char *reason);

// Writes the line that a person pastes into a client, "lightbox://host:port/TICKET#FINGERPRINT", with a new ticket.
// `host` is how clients reach this machine: a name, an IPv4 address, or an IPv6 address in brackets. Only with
// `LBX_ADMIT_TICKETS` has the line a ticket.
// `text` has room for `space` bytes, the NUL included; `LBX_ADDRESS_SPACE` is enough.
// Errors: `LBX_ERROR_ARGUMENT` if `host` is none, `LBX_ERROR_SPACE`.
// Threads: any. since 0.1
lbx_result lbx_server_address(struct lbx_server *server,
                              const char *host,
                              char *text,
                              size_t space);

// Writes the digest of the server's key, which stands behind the # of its addresses, for a person to compare.
// `text` has room for `space` bytes, the NUL included; `LBX_ADDRESS_SPACE` is enough.
// Errors: `LBX_ERROR_SPACE`.
// Threads: any. since 0.1
lbx_result lbx_server_fingerprint(const struct lbx_server *server, char *text, size_t space);

// As lbx_server_address(), for a person who may do what `role` (LBX_ROLE_*) says, with a ticket that admits for
// `life_ms`; 0: until it is used or revoked.
// Errors: as lbx_server_address().
// Threads: any. since 0.1
lbx_result lbx_server_ticket(struct lbx_server *server,
                             const char *host,
                             uint32_t role,
                             uint32_t life_ms,
                             char *text,
                             size_t space);

// No ticket that was given out and not used admits any more.
// Threads: any. since 0.1
lbx_result lbx_server_revoke_tickets(struct lbx_server *server);

// Answers the client of an `LBX_SERVER_KNOCK`: lets it in (`allow` is 1) to do what `role` (LBX_ROLE_*) says, or
// refuses it, for a `reason` that it may show the person; NULL if there is none to give. A client that is not answered
// within `ask_ms` is refused.
// Errors: `LBX_ERROR_STATE` if it does not wait any more.
// Threads: any. since 0.1
lbx_result lbx_server_answer(struct lbx_server *server,
                             uint64_t knock,
                             uint32_t allow,
                             uint32_t role,
                             const char *reason);

// The number that PC emulators want for an evdev key code ("qnum" in QEMU): the scancode of set 1, with its high bit set
// where the prefix E0 belongs. 0 if a PC keyboard has no such key.
// Threads: any. since 0.1
uint32_t lbx_input_qnum(uint32_t code);

// Plugs a monitor of this size into the desktop, to the right of those there are; black until its first frame.
// Ownership: `*out` is the caller's, to lbx_output_free(), before or after the server's end.
// Errors: `LBX_ERROR_LIMIT` past 16 monitors, `LBX_ERROR_ARGUMENT`.
// Threads: any. since 0.1
lbx_result lbx_output_new(struct lbx_server *server,
                          uint32_t w,
                          uint32_t h,
                          uint32_t format,
                          struct lbx_output **out);

// Unplugs the monitor; its scanout is released, before this returns unless it is called in a callback or beside another
// call. NULL is allowed.
// Threads: any, in callbacks too. since 0.1
void lbx_output_free(struct lbx_output *output);

// The monitor's number, which input events and places name. `LBX_NO_OUTPUT` for NULL.
// Threads: any. since 0.1
uint32_t lbx_output_id(const struct lbx_output *output);

// The monitor shows this buffer from now on; NULL takes the one there is away and leaves the last picture. A buffer of
// another size or format than the monitor's changes the monitor. Pixels are looked at in lbx_output_damage() and
// lbx_output_damage_unknown() alone, so call the latter next.
// Ownership: the struct is copied. The memory behind `data` is lent until `release` is called, which for the buffer
// before may be in this call; a descriptor is duplicated. On errors nothing is kept, and `release` is not called.
// Errors: `LBX_ERROR_ARGUMENT`, `LBX_ERROR_SHAPE` also if the file is too short, `LBX_ERROR_SYSTEM` if it cannot be had.
// Threads: any. since 0.1
lbx_result lbx_output_set_scanout(struct lbx_output *output,
                                  const struct lbx_scanout *scanout);

// The scanout changed in these rects at most; they may overlap, claim too much and stick out. What did not change costs
// a comparison and no bytes; what changed is copied, and the scanout is free to change again when this returns.
// `*changed` becomes the number of 64x64 tiles that changed; NULL if nobody asks. No rects is allowed: the sweep looks
// for changes that were not reported.
// Errors: `LBX_ERROR_STATE` without a scanout or if its `read` failed, `LBX_ERROR_SYSTEM` if its file became too short:
// nothing was taken then.
// Threads: any. since 0.1
lbx_result lbx_output_damage(struct lbx_output *output,
                             const struct lbx_rect *rects,
                             size_t rects_len,
                             uint32_t *changed);

// The scanout changed, and nobody knows where: all of it is compared. For hosts without damage, and after
// lbx_output_set_scanout().
// Errors: `LBX_ERROR_STATE` without a scanout.
// Threads: any. since 0.1
lbx_result lbx_output_damage_unknown(struct lbx_output *output, uint32_t *changed);

// Shows a frame that is not kept, for hosts without a lasting buffer. It changed in these rects at most; NULL means that
// nobody knows where. `*changed` is as with lbx_output_damage().
// Ownership: the frame's memory is free when this returns.
// Errors: `LBX_ERROR_SHAPE` if the frame is not of the monitor's size and format.
// Threads: any. since 0.1
lbx_result lbx_output_submit(struct lbx_output *output,
                             const struct lbx_frame *frame,
                             const struct lbx_rect *rects,
                             size_t rects_len,
                             uint32_t *changed);

// Shows a frame, and hands on how the host's own encoder has it. `frame` NULL takes the scanout. It changed in these
// rects at most; `rects` NULL means that nobody knows where. The unit goes to every client that decodes its codec and
// has had all units since a key frame; what it shows is lossy, and becomes exact from the frame as soon as it rests.
// All others get the frame as if there were no unit, and so do tiles of 64x64 that the unit's rect has only a part of.
// Units are submitted one after the other, in the order in which they are decoded, each with the frame that it is of.
// `LBX_SERVER_WANT_KEY_FRAME` asks for a key frame. Costs a copy of the unit.
// Ownership: the frame's and the unit's memory are free when this returns.
// Errors: `LBX_ERROR_SHAPE` if the frame is not of the monitor's size and format, or that is not LBX_FORMAT_BGRX8;
// `LBX_ERROR_STATE` without a scanout, or for a unit that is no key frame and continues none; `LBX_ERROR_ARGUMENT`.
// Nothing is taken then.
// Threads: any, but one at a time for a monitor. since 0.1
lbx_result lbx_output_submit_coded(struct lbx_output *output,
                                   const struct lbx_frame *frame,
                                   const struct lbx_rect *rects,
                                   size_t rects_len,
                                   const struct lbx_access_unit *unit,
                                   uint32_t *changed);

// The monitor has this size and format from now on, and is black until its next frame. Its scanout is released.
// Errors: `LBX_ERROR_ARGUMENT`.
// Threads: any. since 0.1
lbx_result lbx_output_resize(struct lbx_output *output,
                             uint32_t w,
                             uint32_t h,
                             uint32_t format);

// Where the monitor stands on the desktop: its top left corner in desktop pixels, its width in millimetres (0 if not
// known), and the guest's scale in 1/120 (0 and 120 mean 1:1).
// Threads: any. since 0.1
lbx_result lbx_output_place(struct lbx_output *output,
                            int32_t x,
                            int32_t y,
                            uint32_t width_mm,
                            uint32_t scale);

// The frames from the next one on show these images scaled, in place of those named before; none ends it. To be called
// before the frame that shows them first, each time another image is shown, is shown elsewhere or scaled otherwise: for
// hosts that know what a viewer in the guest does. They are sent instead of what they became: about half of it for
// a CT slice that fills a window. It is a hint: clients show the frame exactly, whatever is said here. Costs a copy of what is
// shown of each image.
// Ownership: `images` is an array of pointers; all memory is free when this returns.
// Errors: `LBX_ERROR_ARGUMENT`, also for more than 16: nothing changes.
// Threads: any. since 0.1
lbx_result lbx_output_show_scaled(struct lbx_output *output,
                                  const struct lbx_scaled *const *images,
                                  size_t images_len);

// A promise (LBX_CONTRACT_*) for these parts of the monitor's picture, by whole tiles of 64x64 pixels, in place of the
// parts that it was made for before; with no rects it ends. It holds for every frame that is sent after this returns,
// and goes on when the monitor takes another size. What clients show there with an error at that moment is sent again
// exactly, if it must never be so. `within_ms` is of LBX_CONTRACT_EXACT_WITHIN, otherwise 0.
// Errors: `LBX_ERROR_ARGUMENT`.
// Threads: any. since 0.1
lbx_result lbx_output_contract(struct lbx_output *output,
                               uint32_t contract,
                               uint32_t within_ms,
                               const struct lbx_rect *rects,
                               size_t rects_len);

// `LBX_SERVER_FRAME_DONE` with this cookie follows when all that was shown on this monitor before has been taken into
// frames for every connected session, at once if there is none: the moment at which painting the next picture is worth
// it. Sessions that wait for their client do not count, and one that takes nothing, as its path is stuck, keeps the
// word back for a second at most. Where events are not read in time, the newest stands for those before it.
// Errors: `LBX_ERROR_LIMIT` while 64 are open.
// Threads: any. since 0.1
lbx_result lbx_output_notify(struct lbx_output *output,
                             uint64_t cookie);

// The cursor's picture, on every monitor of the desktop: w*h pixels of blue, green, red and alpha, colour already
// multiplied by alpha, row by row without padding. (hot_x, hot_y) is the pixel that points.
// Ownership: the picture is copied.
// Errors: `LBX_ERROR_ARGUMENT` if it is empty or longer than `LBX_CURSOR_MAX`, or the hotspot is outside.
// Threads: any. since 0.1
lbx_result lbx_cursor_define(struct lbx_output *output,
                             uint32_t w,
                             uint32_t h,
                             uint32_t hot_x,
                             uint32_t hot_y,
                             const uint8_t *bgra);

// The guest moved the cursor: its hotspot is at this pixel of the monitor, or it is hidden (`visible` is 0).
// Threads: any. since 0.1
lbx_result lbx_cursor_move(struct lbx_output *output, uint32_t x, uint32_t y, uint32_t visible);

// Starts to connect and returns at once; `LBX_CLIENT_CONNECTED` or `LBX_CLIENT_ENDED` follows. A connection that is lost
// is taken up again without further calls.
// Ownership: `*out` is the caller's, to lbx_client_free(). The config is copied.
// Errors: `LBX_ERROR_IDENTITY` if the address or a certificate is none, `LBX_ERROR_SYSTEM`, `LBX_ERROR_ARGUMENT`,
// `LBX_ERROR_HANDLE` if `loop` is none.
// Threads: any. since 0.1
lbx_result lbx_client_new(const struct lbx_client_config *config,
                          struct lbx_client **out);

// Ends the session and the client; takes up to about a second, or no time on an lbx_loop, with whose next turns the
// goodbye leaves. A surface that is held stays as it is until it is released. NULL is allowed.
// Threads: any, in callbacks too: the client then ends on another thread, soon after. since 0.1
void lbx_client_free(struct lbx_client *client);

// A file descriptor that becomes readable when events wait: poll it, and call lbx_client_next_event() until it says
// `LBX_AGAIN`. Do not read, write or close it; it is closed with the client. -1 for NULL.
// On Windows it is the number of an event object, for WaitForMultipleObjects: `(HANDLE)(intptr_t)fd`.
// Threads: any. since 0.1
int lbx_client_event_fd(const struct lbx_client *client);

// Takes the next event; set `event->size` before. A program that does not keep up loses events, not the session: the next
// `LBX_CLIENT_UPDATED` is then of the whole surface.
// Ownership: the event's pointers are valid until the next call of this function for this client, on any thread, or
// the client's end.
// Errors: `LBX_AGAIN` if there is none; it does not wait.
// Threads: any, but as the pointers go with the next call, best one. since 0.1
lbx_result lbx_client_next_event(struct lbx_client *client,
                                 struct lbx_client_event *event);

// Ends the session and lets the client be: `LBX_CLIENT_ENDED` follows.
// Threads: any. since 0.1
lbx_result lbx_client_close(struct lbx_client *client);

// The machine has another network: goes on from a new socket, the session and its connection stay.
// Threads: any. since 0.1
lbx_result lbx_client_rebind(struct lbx_client *client);

// The monitors that the terminal would like, at most 16; the guest decides, and `LBX_CLIENT_LAYOUT` says what became of
// it.
// Threads: any. since 0.1
lbx_result lbx_client_want_layout(struct lbx_client *client,
                                  const struct lbx_place *places,
                                  size_t places_len);

// The state of a tile, LBX_TILE_*, as the person may be told it. Tiles count row by row from the top left.
// `LBX_TILE_DIRTY` for tiles and surfaces that there are not, and for NULL.
// Threads: any. since 0.1
uint32_t lbx_client_tile_state(const struct lbx_client *client, uint32_t surface, uint32_t tile);

// How far a sample of a tile may be from the source's, in sample values: 0 where the tile is exact,
// `LBX_TILE_ERROR_UNKNOWN` where nothing is known, as its state is `LBX_TILE_DIRTY`, or it shows video and is
// `LBX_TILE_PAINTED`, and for NULL. The bound is the
// server's word; what is proved is the verified tile.
// Threads: any. since 0.1
uint32_t lbx_client_tile_error(const struct lbx_client *client, uint32_t surface, uint32_t tile);

// Tiles of all surfaces by state; set `counts->size` before. All is proved when `total` is not 0 and `verified` is as
// large.
// Threads: any. since 0.1
lbx_result lbx_client_counts(const struct lbx_client *client,
                             struct lbx_counts *counts);

// A key went down (`pressed` is 1) or up. `code` is Linux evdev's.
// Errors, here and below: `LBX_ERROR_ARGUMENT`. Input of a client that is not connected is dropped.
// Threads, here and below: any; what one thread does arrives in order. since 0.1
lbx_result lbx_client_key(struct lbx_client *client, uint32_t code, uint32_t pressed);

// A pointer button (LBX_BUTTON_*) went down or up at this place; `output` is `LBX_NO_OUTPUT` while the pointer is
// relative. since 0.1
lbx_result lbx_client_button(struct lbx_client *client,
                             uint32_t code,
                             uint32_t pressed,
                             uint32_t output,
                             uint32_t x,
                             uint32_t y);

// The pointer is at this pixel of the monitor. since 0.1
lbx_result lbx_client_pointer(struct lbx_client *client, uint32_t output, uint32_t x, uint32_t y);

// The pointer moved by a distance, in 1/256 pixel, while it is relative. since 0.1
lbx_result lbx_client_motion(struct lbx_client *client, int32_t dx, int32_t dy);

// The wheel turned, in 1/120 notch; right and down are positive. since 0.1
lbx_result lbx_client_wheel(struct lbx_client *client, int32_t dx, int32_t dy);

// An input method has text: UTF-8, ending with a NUL, at most `LBX_TEXT_MAX` bytes. It is copied. since 0.1
lbx_result lbx_client_text(struct lbx_client *client, const char *text);

// A finger or pen did something. since 0.1
lbx_result lbx_client_touch(struct lbx_client *client, const struct lbx_touch *touch);

// The terminal's lock keys: LBX_LOCK_* bits. since 0.1
lbx_result lbx_client_locks(struct lbx_client *client, uint32_t locks);

// The window lost the focus: the server lets go of every key and button that is held. since 0.1
lbx_result lbx_client_unfocus(struct lbx_client *client);

// Holds a surface still: nothing is painted, on any surface of this client, until all that are held are released. Be
// brief. Waits while a frame is being painted.
// Ownership: `*out` is the caller's, to lbx_surface_release(), before or after the client's end.
// Errors: `LBX_ERROR_STATE` if there is no such surface.
// Threads: any. since 0.1
lbx_result lbx_surface_acquire(struct lbx_client *client,
                               uint32_t surface,
                               struct lbx_surface **out);

// Its samples; set `frame->size` before. They stay as they are until the release, and every thread may read them. The
// spare byte of `LBX_FORMAT_BGRX8` is 0xFF.
// Threads: any. since 0.1
lbx_result lbx_surface_frame(const struct lbx_surface *surface,
                             struct lbx_frame *frame);

// Painting goes on. NULL is allowed. What lbx_surface_frame() gave is not to be read any more.
// Threads: any. since 0.1
lbx_result lbx_surface_release(struct lbx_surface *surface);

// The number that events name the stream by. 0 for NULL, which is a stream's number as well.
// Threads: any. since 0.1
uint64_t lbx_stream_id(const struct lbx_stream *stream);

// Writes as many of the bytes as the other end has granted; `*written` becomes how many those were, at most `len`. Where
// they are fewer, `LBX_STREAM_WRITABLE` follows. Until `LBX_STREAM_ACCEPTED` none are taken.
// Ownership: the bytes are copied.
// Errors: `LBX_ERROR_STATE` if the stream is over or its end was written.
// Threads: any; what one thread writes arrives in order. since 0.1
lbx_result lbx_stream_write(struct lbx_stream *stream,
                            const void *bytes,
                            size_t len,
                            size_t *written);

// Takes at most `space` bytes that have come; `*len` becomes how many. 0 of them is the other end's end: nothing more
// will come.
// Errors: `LBX_AGAIN` if there are none yet, and `LBX_STREAM_READABLE` follows; `LBX_ERROR_STATE` if the stream is over;
// `LBX_ERROR_SPACE` if `space` is 0.
// Threads: any. since 0.1
lbx_result lbx_stream_read(struct lbx_stream *stream,
                           void *bytes,
                           size_t space,
                           size_t *len);

// Says that no bytes follow; the other end's may go on.
// Errors: `LBX_ERROR_STATE` if the stream is over or its end was written.
// Threads: any. since 0.1
lbx_result lbx_stream_end(struct lbx_stream *stream);

// Ends the stream in both directions; `reason` is for people, NULL if there is none. Free it then as well.
// Threads: any. since 0.1
lbx_result lbx_stream_close(struct lbx_stream *stream, const char *reason);

// Ends the handle, and the stream with it unless both its ends were said. NULL is allowed.
// Threads: any, in callbacks too. since 0.1
void lbx_stream_free(struct lbx_stream *stream);

// Opens a byte stream to the server's application. `name` says what it is for: 1 to 64 of a-z, 0-9, '.', '_' and '-'.
// `LBX_STREAM_ACCEPTED` or `LBX_STREAM_CLOSED` follows.
// Ownership: `*out` is the caller's, to lbx_stream_free().
// Errors: `LBX_ERROR_LIMIT` if there is no room for one more (see `streams` in both configs) or no connection,
// `LBX_ERROR_ARGUMENT`.
// Threads: any. since 0.1
lbx_result lbx_client_open_stream(struct lbx_client *client,
                                  const char *name,
                                  uint32_t urgency,
                                  struct lbx_stream **out);

// Takes a byte stream that the server offers: the `stream` of `LBX_STREAM_OFFERED`.
// Ownership: `*out` is the caller's, to lbx_stream_free().
// Errors: `LBX_ERROR_STATE` if it is not offered any more.
// Threads: any. since 0.1
lbx_result lbx_client_accept_stream(struct lbx_client *client, uint64_t stream, struct lbx_stream **out);

// Does not take a byte stream that the server offers; `reason` is for people, NULL if there is none. One that is not
// offered any more is no error.
// Threads: any. since 0.1
lbx_result lbx_client_refuse_stream(struct lbx_client *client,
                                    uint64_t stream,
                                    const char *reason);

// Opens a byte stream to the application at a session's client. `name` says what it is for: 1 to 64 of a-z, 0-9, '.', '_'
// and '-'. `LBX_STREAM_ACCEPTED` or `LBX_STREAM_CLOSED` follows.
// Ownership: `*out` is the caller's, to lbx_stream_free().
// Errors: `LBX_ERROR_STATE` if there is no such session, `LBX_ERROR_LIMIT` if it has no room for one more (see `streams`
// in both configs) or no connection, `LBX_ERROR_ARGUMENT`.
// Threads: any. since 0.1
lbx_result lbx_server_open_stream(struct lbx_server *server,
                                  const struct lbx_session_id *session,
                                  const char *name,
                                  uint32_t urgency,
                                  struct lbx_stream **out);

// Takes a byte stream that a session's client offers: the `stream` of `LBX_STREAM_OFFERED`.
// Ownership: `*out` is the caller's, to lbx_stream_free().
// Errors: `LBX_ERROR_STATE` if it is not offered any more.
// Threads: any. since 0.1
lbx_result lbx_server_accept_stream(struct lbx_server *server,
                                    const struct lbx_session_id *session,
                                    uint64_t stream,
                                    struct lbx_stream **out);

// Does not take a byte stream that a session's client offers; `reason` is for people, NULL if there is none. One that is
// not offered any more is no error.
// Threads: any. since 0.1
lbx_result lbx_server_refuse_stream(struct lbx_server *server,
                                    const struct lbx_session_id *session,
                                    uint64_t stream,
                                    const char *reason);

// What a client received; set `stats->size` before.
// Threads: any. since 0.1
lbx_result lbx_client_read_stats(const struct lbx_client *client, struct lbx_client_stats *stats);

// What became of what a session was sent; set `stats->size` before.
// Errors: `LBX_ERROR_STATE` if there is no such session.
// Threads: any. since 0.1
lbx_result lbx_server_read_session_stats(const struct lbx_server *server,
                                         const struct lbx_session_id *session,
                                         struct lbx_session_stats *stats);

// What became of what a monitor was given; set `stats->size` before.
// Threads: any. since 0.1
lbx_result lbx_output_read_stats(const struct lbx_output *output, struct lbx_output_stats *stats);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* LIGHTBOX_H */
