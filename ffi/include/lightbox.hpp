// lightbox.h for C++17: handles that end by themselves, failures that are exceptions. Header only; adds no symbols.
//
// A class is its C handle and nothing else: get() gives it for what stands only in lightbox.h. What lightbox.h says of
// ownership, threads and the life of pointers holds here as well. Callbacks must not throw.
#ifndef LIGHTBOX_HPP
#define LIGHTBOX_HPP

#include "lightbox.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace lightbox {

// A call failed. what() is the library's text.
class error : public std::runtime_error {
public:
    explicit error(lbx_result result) : std::runtime_error(lbx_error_text()), result_(result) {}
    lbx_result result() const noexcept { return result_; }

private:
    lbx_result result_;
};

namespace detail {

inline void must(lbx_result result)
{
    if (result != LBX_OK)
        throw error(result);
}

// A struct that begins with its size, otherwise zero.
template <class T> T sized() noexcept
{
    T value{};
    value.size = sizeof(T);
    return value;
}

template <class T, void (*End)(T *)> struct end {
    void operator()(T *handle) const noexcept { End(handle); }
};

// Owns a handle.
template <class T, void (*End)(T *)> using owned = std::unique_ptr<T, end<T, End>>;

inline void release(lbx_surface *surface) { (void)lbx_surface_release(surface); }

} // namespace detail

// The application's own event loop, for servers and clients without threads: lbx_loop. Linux only.
class loop {
public:
    loop()
    {
        lbx_loop *made = nullptr;
        detail::must(lbx_loop_new(&made));
        handle_.reset(made);
    }

    lbx_loop *get() const noexcept { return handle_.get(); }
    int fd() const noexcept { return lbx_loop_fd(get()); }
    int timeout_ms() const noexcept { return lbx_loop_timeout_ms(get()); }

    // Does what is due; true if more is.
    bool dispatch()
    {
        bool more = false;
        detail::must(lbx_loop_dispatch(get(), &more));
        return more;
    }

private:
    detail::owned<lbx_loop, lbx_loop_free> handle_;
};

// One end of a byte stream: lbx_stream. Dropping it ends the stream, unless both its ends were said.
class stream {
public:
    explicit stream(lbx_stream *owned) noexcept : handle_(owned) {}

    lbx_stream *get() const noexcept { return handle_.get(); }
    std::uint64_t id() const noexcept { return lbx_stream_id(get()); }

    // As many bytes as the other end has granted are taken.
    std::size_t write(const void *bytes, std::size_t len)
    {
        std::size_t written = 0;
        detail::must(lbx_stream_write(get(), bytes, len, &written));
        return written;
    }

    // The number of bytes that have come, 0 at the other end's end; nothing while there are none.
    std::optional<std::size_t> read(void *bytes, std::size_t space)
    {
        std::size_t len = 0;
        const lbx_result result = lbx_stream_read(get(), bytes, space, &len);
        if (result == LBX_AGAIN)
            return std::nullopt;
        detail::must(result);
        return len;
    }

    void end() { detail::must(lbx_stream_end(get())); }
    void close(const std::string &reason = {}) { detail::must(lbx_stream_close(get(), reason.c_str())); }

private:
    detail::owned<lbx_stream, lbx_stream_free> handle_;
};

// The settings of a server; what is left out is the default.
struct server_config {
    std::string listen = "127.0.0.1:0";
    std::string identity_path = {};
    std::string authorities = {};
    std::uint32_t admit = LBX_ADMIT_TICKETS;
    bool keep_tickets = false;
    std::uint32_t max_sessions = 0;
    std::uint32_t life_ms = 0;
    std::uint32_t workers = 0;
    std::uint32_t sweep = 0;
    std::uint32_t streams = 0;
    std::uint64_t slot_memory = 0;
    std::uint32_t idle_timeout_ms = 0;
    std::uint32_t ask_ms = 0;
    lbx_loop *loop = nullptr;
};

// A desktop that clients can connect to: lbx_server.
class server {
public:
    explicit server(const server_config &config = {})
    {
        auto given = detail::sized<lbx_server_config>();
        given.listen = config.listen.c_str();
        given.identity_path = config.identity_path.empty() ? nullptr : config.identity_path.c_str();
        given.authorities = config.authorities.empty() ? nullptr : config.authorities.c_str();
        given.admit = config.admit;
        given.keep_tickets = config.keep_tickets;
        given.max_sessions = config.max_sessions;
        given.life_ms = config.life_ms;
        given.workers = config.workers;
        given.sweep = config.sweep;
        given.streams = config.streams;
        given.slot_memory = config.slot_memory;
        given.idle_timeout_ms = config.idle_timeout_ms;
        given.ask_ms = config.ask_ms;
        given.loop = config.loop;
        lbx_server *made = nullptr;
        detail::must(lbx_server_new(&given, &made));
        handle_.reset(made);
    }

    lbx_server *get() const noexcept { return handle_.get(); }
    int event_fd() const noexcept { return lbx_server_event_fd(get()); }
    std::uint16_t port() const noexcept { return lbx_server_port(get()); }
    bool is_settled() const noexcept { return lbx_server_is_settled(get()); }

    // The line for a client, with a new ticket.
    std::string address(const std::string &host)
    {
        char text[LBX_ADDRESS_SPACE];
        detail::must(lbx_server_address(get(), host.c_str(), text, sizeof text));
        return text;
    }

    // The same with a role (LBX_ROLE_*), and a ticket that admits for so long; 0: until it is used or revoked.
    std::string ticket(const std::string &host, std::uint32_t role, std::uint32_t life_ms = 0)
    {
        char text[LBX_ADDRESS_SPACE];
        detail::must(lbx_server_ticket(get(), host.c_str(), role, life_ms, text, sizeof text));
        return text;
    }

    // What stands behind the # of its addresses.
    std::string fingerprint() const
    {
        char text[LBX_ADDRESS_SPACE];
        detail::must(lbx_server_fingerprint(get(), text, sizeof text));
        return text;
    }

    void revoke_tickets() { detail::must(lbx_server_revoke_tickets(get())); }

    // Lets the client of an LBX_SERVER_KNOCK in.
    void admit(std::uint64_t knock, std::uint32_t role = LBX_ROLE_CONTROL)
    {
        detail::must(lbx_server_answer(get(), knock, 1, role, nullptr));
    }

    // Refuses it.
    void refuse(std::uint64_t knock, const std::string &reason)
    {
        detail::must(lbx_server_answer(get(), knock, 0, 0, reason.c_str()));
    }

    // The next event, if there is one; its pointers live until the next call.
    std::optional<lbx_server_event> next_event()
    {
        auto event = detail::sized<lbx_server_event>();
        const lbx_result result = lbx_server_next_event(get(), &event);
        if (result == LBX_AGAIN)
            return std::nullopt;
        detail::must(result);
        return event;
    }

    void set_leds(std::uint32_t locks) { detail::must(lbx_server_set_leds(get(), locks)); }

    stream open_stream(const lbx_session_id &session, const std::string &name,
                       std::uint32_t urgency = LBX_URGENCY_NORMAL)
    {
        lbx_stream *made = nullptr;
        detail::must(lbx_server_open_stream(get(), &session, name.c_str(), urgency, &made));
        return stream(made);
    }

    stream accept_stream(const lbx_session_id &session, std::uint64_t offered)
    {
        lbx_stream *made = nullptr;
        detail::must(lbx_server_accept_stream(get(), &session, offered, &made));
        return stream(made);
    }

    void refuse_stream(const lbx_session_id &session, std::uint64_t offered, const std::string &reason = {})
    {
        detail::must(lbx_server_refuse_stream(get(), &session, offered, reason.c_str()));
    }

    void disconnect(const lbx_session_id &session, const std::string &reason)
    {
        detail::must(lbx_server_disconnect(get(), &session, reason.c_str()));
    }

    std::vector<lbx_session_id> sessions() const
    {
        std::vector<lbx_session_id> ids;
        std::size_t there = 0;
        do {
            ids.resize(there);
            detail::must(lbx_server_sessions(get(), ids.data(), ids.size(), &there));
        } while (there > ids.size());
        ids.resize(there);
        return ids;
    }

    lbx_session_stats stats(const lbx_session_id &session) const
    {
        auto stats = detail::sized<lbx_session_stats>();
        detail::must(lbx_server_read_session_stats(get(), &session, &stats));
        return stats;
    }

private:
    detail::owned<lbx_server, lbx_server_free> handle_;
};

// One monitor of a desktop: lbx_output.
class output {
public:
    output(server &of, std::uint32_t w, std::uint32_t h, std::uint32_t format = LBX_FORMAT_BGRX8)
    {
        lbx_output *made = nullptr;
        detail::must(lbx_output_new(of.get(), w, h, format, &made));
        handle_.reset(made);
    }

    lbx_output *get() const noexcept { return handle_.get(); }
    std::uint32_t id() const noexcept { return lbx_output_id(get()); }

    // `scanout.size` is set here.
    void set_scanout(lbx_scanout scanout)
    {
        scanout.size = sizeof scanout;
        detail::must(lbx_output_set_scanout(get(), &scanout));
    }

    void remove_scanout() { detail::must(lbx_output_set_scanout(get(), nullptr)); }

    // Both give the number of tiles that changed.
    std::uint32_t damage(const std::vector<lbx_rect> &rects)
    {
        std::uint32_t changed = 0;
        detail::must(lbx_output_damage(get(), rects.data(), rects.size(), &changed));
        return changed;
    }

    std::uint32_t damage_unknown()
    {
        std::uint32_t changed = 0;
        detail::must(lbx_output_damage_unknown(get(), &changed));
        return changed;
    }

    // A frame that is not kept and may have changed anywhere; `frame.size` is set here.
    std::uint32_t submit(lbx_frame frame)
    {
        frame.size = sizeof frame;
        std::uint32_t changed = 0;
        detail::must(lbx_output_submit(get(), &frame, nullptr, 0, &changed));
        return changed;
    }

    // The same with how the host's own encoder has it; both sizes are set here.
    std::uint32_t submit_coded(lbx_frame frame, const std::vector<lbx_rect> &rects, lbx_access_unit unit)
    {
        frame.size = sizeof frame;
        unit.size = sizeof unit;
        std::uint32_t changed = 0;
        detail::must(lbx_output_submit_coded(get(), &frame, rects.data(), rects.size(), &unit, &changed));
        return changed;
    }

    // The frames to come show these images scaled; sizes are set here.
    void show_scaled(std::vector<lbx_scaled> images)
    {
        std::vector<const lbx_scaled *> pointers;
        for (lbx_scaled &image : images) {
            image.size = sizeof image;
            pointers.push_back(&image);
        }
        detail::must(lbx_output_show_scaled(get(), pointers.data(), pointers.size()));
    }

    void resize(std::uint32_t w, std::uint32_t h, std::uint32_t format = LBX_FORMAT_BGRX8)
    {
        detail::must(lbx_output_resize(get(), w, h, format));
    }

    void place(std::int32_t x, std::int32_t y, std::uint32_t width_mm = 0, std::uint32_t scale = 120)
    {
        detail::must(lbx_output_place(get(), x, y, width_mm, scale));
    }

    // LBX_SERVER_FRAME_DONE with this cookie follows when what was shown has been taken.
    void notify(std::uint64_t cookie) { detail::must(lbx_output_notify(get(), cookie)); }

    // Nothing is shown with an error in these parts of the picture; in no part if there are none.
    void never_lossy(const std::vector<lbx_rect> &rects)
    {
        detail::must(lbx_output_contract(get(), LBX_CONTRACT_NEVER_LOSSY, 0, rects.data(), rects.size()));
    }

    // These parts go first, and are exact within this time or told to be late.
    void exact_within(std::uint32_t ms, const std::vector<lbx_rect> &rects)
    {
        detail::must(lbx_output_contract(get(), LBX_CONTRACT_EXACT_WITHIN, ms, rects.data(), rects.size()));
    }

    // w*h pixels of blue, green, red and alpha.
    void define_cursor(std::uint32_t w, std::uint32_t h, std::uint32_t hot_x, std::uint32_t hot_y,
                       const std::uint8_t *bgra)
    {
        detail::must(lbx_cursor_define(get(), w, h, hot_x, hot_y, bgra));
    }

    void move_cursor(std::uint32_t x, std::uint32_t y, bool visible = true)
    {
        detail::must(lbx_cursor_move(get(), x, y, visible));
    }

    lbx_output_stats stats() const
    {
        auto stats = detail::sized<lbx_output_stats>();
        detail::must(lbx_output_read_stats(get(), &stats));
        return stats;
    }

private:
    detail::owned<lbx_output, lbx_output_free> handle_;
};

// A client's surface, held still while this lives.
class surface {
public:
    explicit surface(lbx_surface *acquired) noexcept : handle_(acquired) {}

    lbx_surface *get() const noexcept { return handle_.get(); }

    lbx_frame frame() const
    {
        auto frame = detail::sized<lbx_frame>();
        detail::must(lbx_surface_frame(get(), &frame));
        return frame;
    }

private:
    detail::owned<lbx_surface, detail::release> handle_;
};

// The settings of a client; what is left out is the default.
struct client_config {
    std::string address;
    std::string terminal = {};
    std::string authorities = {};
    std::string identity_path = {};
    std::uint64_t max_pixels = 0;
    std::uint32_t streams = 0;
    std::uint64_t slot_memory = 0;
    const lbx_allocator *allocator = nullptr; // its size must be set
    std::uint32_t idle_timeout_ms = 0;
    bool exact_only = false;
    lbx_loop *loop = nullptr;
    std::uint32_t models = 0;
};

// A terminal's end of a session: lbx_client.
class client {
public:
    explicit client(const client_config &config)
    {
        auto given = detail::sized<lbx_client_config>();
        given.address = config.address.c_str();
        given.terminal = config.terminal.empty() ? nullptr : config.terminal.c_str();
        given.authorities = config.authorities.empty() ? nullptr : config.authorities.c_str();
        given.identity_path = config.identity_path.empty() ? nullptr : config.identity_path.c_str();
        given.max_pixels = config.max_pixels;
        given.streams = config.streams;
        given.slot_memory = config.slot_memory;
        given.allocator = config.allocator;
        given.idle_timeout_ms = config.idle_timeout_ms;
        given.exact_only = config.exact_only;
        given.loop = config.loop;
        given.models = config.models;
        lbx_client *made = nullptr;
        detail::must(lbx_client_new(&given, &made));
        handle_.reset(made);
    }

    lbx_client *get() const noexcept { return handle_.get(); }
    int event_fd() const noexcept { return lbx_client_event_fd(get()); }

    // The next event, if there is one; its pointers live until the next call.
    std::optional<lbx_client_event> next_event()
    {
        auto event = detail::sized<lbx_client_event>();
        const lbx_result result = lbx_client_next_event(get(), &event);
        if (result == LBX_AGAIN)
            return std::nullopt;
        detail::must(result);
        return event;
    }

    surface acquire(std::uint32_t number)
    {
        lbx_surface *held = nullptr;
        detail::must(lbx_surface_acquire(get(), number, &held));
        return surface(held);
    }

    std::uint32_t tile_state(std::uint32_t surface, std::uint32_t tile) const noexcept
    {
        return lbx_client_tile_state(get(), surface, tile);
    }

    std::uint32_t tile_error(std::uint32_t surface, std::uint32_t tile) const noexcept
    {
        return lbx_client_tile_error(get(), surface, tile);
    }

    lbx_counts counts() const
    {
        auto counts = detail::sized<lbx_counts>();
        detail::must(lbx_client_counts(get(), &counts));
        return counts;
    }

    lbx_client_stats stats() const
    {
        auto stats = detail::sized<lbx_client_stats>();
        detail::must(lbx_client_read_stats(get(), &stats));
        return stats;
    }

    void key(std::uint32_t code, bool pressed) { detail::must(lbx_client_key(get(), code, pressed)); }
    void pointer(std::uint32_t output, std::uint32_t x, std::uint32_t y)
    {
        detail::must(lbx_client_pointer(get(), output, x, y));
    }
    void button(std::uint32_t code, bool pressed, std::uint32_t output, std::uint32_t x, std::uint32_t y)
    {
        detail::must(lbx_client_button(get(), code, pressed, output, x, y));
    }
    void motion(std::int32_t dx, std::int32_t dy) { detail::must(lbx_client_motion(get(), dx, dy)); }
    void wheel(std::int32_t dx, std::int32_t dy) { detail::must(lbx_client_wheel(get(), dx, dy)); }
    void text(const std::string &text) { detail::must(lbx_client_text(get(), text.c_str())); }
    void touch(const lbx_touch &touch) { detail::must(lbx_client_touch(get(), &touch)); }
    void locks(std::uint32_t locks) { detail::must(lbx_client_locks(get(), locks)); }
    void unfocus() { detail::must(lbx_client_unfocus(get())); }

    void want_layout(const std::vector<lbx_place> &places)
    {
        detail::must(lbx_client_want_layout(get(), places.data(), places.size()));
    }
    stream open_stream(const std::string &name, std::uint32_t urgency = LBX_URGENCY_NORMAL)
    {
        lbx_stream *made = nullptr;
        detail::must(lbx_client_open_stream(get(), name.c_str(), urgency, &made));
        return stream(made);
    }

    stream accept_stream(std::uint64_t offered)
    {
        lbx_stream *made = nullptr;
        detail::must(lbx_client_accept_stream(get(), offered, &made));
        return stream(made);
    }

    void refuse_stream(std::uint64_t offered, const std::string &reason = {})
    {
        detail::must(lbx_client_refuse_stream(get(), offered, reason.c_str()));
    }
    void rebind() { detail::must(lbx_client_rebind(get())); }
    void close() { detail::must(lbx_client_close(get())); }

private:
    detail::owned<lbx_client, lbx_client_free> handle_;
};

} // namespace lightbox

#endif // LIGHTBOX_HPP
