// mini_terminal.c in C++17: what it owns ends by itself, and failures are exceptions.
//
//     mini_terminal ADDRESS FILE.ppm
#include <lightbox.hpp>

#include <fstream>
#include <iostream>
#include <poll.h>

namespace {

constexpr std::uint32_t key_enter = 28;

// Takes events until there is none. True once Scroll Lock is lit.
bool read_events(lightbox::client &client, std::uint32_t &surface)
{
    bool over = false;
    while (const auto event = client.next_event()) {
        switch (event->kind) {
        case LBX_CLIENT_CONNECTED:
            client.key(key_enter, true);
            client.key(key_enter, false);
            break;
        case LBX_CLIENT_SURFACE:
            surface = event->surface;
            break;
        case LBX_CLIENT_LEDS:
            over = (event->locks & LBX_LOCK_SCROLL) != 0;
            break;
        case LBX_CLIENT_ENDED:
            throw std::runtime_error(std::string("the session is over: ") + event->text);
        default: // A window would paint on LBX_CLIENT_UPDATED.
            break;
        }
    }
    return over;
}

void save(lightbox::client &client, std::uint32_t number, const char *path)
{
    std::ofstream file(path, std::ios::binary);
    const lightbox::surface surface = client.acquire(number);
    const lbx_frame frame = surface.frame();
    file << "P6\n" << frame.w << ' ' << frame.h << "\n255\n";
    for (std::uint32_t y = 0; y < frame.h; y++) {
        const auto *row = static_cast<const char *>(frame.data) + y * frame.stride;
        for (std::uint32_t x = 0; x < frame.w; x++)
            file.put(row[4 * x + 2]).put(row[4 * x + 1]).put(row[4 * x]);
    }
    if (!file.flush())
        throw std::runtime_error("the picture cannot be written");
}

bool run(const char *address, const char *path)
{
    lightbox::client client({ address, "mini terminal in C++" });
    pollfd events{ client.event_fd(), POLLIN, 0 };
    std::uint32_t surface = 0;
    do
        poll(&events, 1, -1);
    while (!read_events(client, surface));

    const lbx_counts counts = client.counts();
    std::cout << counts.verified << " of " << counts.total << " tiles verified\n";
    save(client, surface, path);
    return counts.total > 0 && counts.verified == counts.total;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::cerr << "mini_terminal ADDRESS FILE.ppm\n";
        return 2;
    }
    try {
        return run(argv[1], argv[2]) ? 0 : 1;
    } catch (const std::exception &error) {
        std::cerr << "mini_terminal: " << error.what() << '\n';
        return 1;
    }
}
