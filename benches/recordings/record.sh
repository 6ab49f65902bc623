#!/bin/sh
# Records real applications at work, for `lightbox bench screen`: programs, fonts, themes and rasterisers that nothing
# here is tuned on. No two recordings are equal to the byte, as applications paint when they get to it.
#
#   sudo benches/recordings/record.sh install              # what it needs, from Debian 12
#   benches/recordings/record.sh FOLDER [SCENE...]         # all scenes without any: chart_2x calc_dark labs_firefox
#                                                          # ct_imagej tui_urxvt pdf_evince
#
# LIGHTBOX names the program (built by `cargo build --release -p lightbox-cli --example phantom_raw --bin lightbox`).
set -eu

if [ "${1:-}" = install ]; then
    exec apt-get install -y --no-install-recommends xvfb xdotool openbox dbus-x11 x11-xserver-utils zstd \
        chromium firefox-esr libreoffice-calc libreoffice-gtk3 imagej evince rxvt-unicode mc htop vim \
        gnome-themes-extra adwaita-icon-theme fonts-noto-core fonts-liberation fonts-hack fonts-dejavu-core
fi

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?give the folder for the recordings}
shift
mkdir -p "$out"
out=$(cd "$out" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}/release
lightbox=${LIGHTBOX:-$target/lightbox}
work=$(mktemp -d)
started=
# Only what this script started ends with it; each is the leader of a group of its own.
stop_all() {
    for pid in $started; do kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true; done
    started=
}
trap 'stop_all; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Starts a program in the background of the scene.
start() {
    setsid "$@" >>"$work/log" 2>&1 &
    started="$! $started"
}

# desktop WIDTHxHEIGHT DPI SUBPIXELS: an X server, a window manager, and how letters are smoothed.
desktop() {
    number=90
    while [ -e "/tmp/.X11-unix/X$number" ] || [ -e "/tmp/.X$number-lock" ]; do number=$((number + 1)); done
    export DISPLAY=":$number" HOME="$work/home" XDG_RUNTIME_DIR="$work/run"
    export LANG=C.UTF-8 LC_ALL=C.UTF-8 NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory
    mkdir -p "$HOME/.config/fontconfig" "$XDG_RUNTIME_DIR"
    chmod 700 "$XDG_RUNTIME_DIR"
    start Xvfb "$DISPLAY" -screen 0 "$1x24" -dpi "$2" -nolisten tcp -noreset
    until xdotool getdisplaygeometry >/dev/null 2>&1; do sleep 0.1; done
    printf 'Xft.dpi: %s\nXft.antialias: 1\nXft.hinting: 1\nXft.hintstyle: hintslight\nXft.rgba: %s\n' "$2" "$3" | xrdb -merge
    cat >"$HOME/.config/fontconfig/fonts.conf" <<FONTS
<?xml version="1.0"?><fontconfig><match target="pattern"><edit name="rgba" mode="assign"><const>$3</const></edit></match></fontconfig>
FONTS
    xsetroot -solid '#3b5a6b'
    start openbox
}

# window NAME: waits until a window of this name shows and stands still, and gives it the keyboard.
window() {
    tries=0
    until find_window "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { echo "no window \"$1\"; the log:" >&2; tail "$work/log" >&2; exit 1; }
        sleep 0.2
    done
    sleep 4
    # A program that showed a splash or loaded in steps may have another window by now.
    find_window "$1"
    xdotool windowactivate --sync "$id" || true
    sleep 1
}

find_window() {
    id=$(xdotool search --onlyvisible --name "$1" 2>/dev/null | tail -n 1) && [ -n "$id" ]
}

# record NAME DESCRIPTION: keeps what happens until `finish`.
record() {
    name=$1
    "$lightbox" record --source "x11:$DISPLAY" --rate "${3:-30}" --description "$2" "$work/$name.scr" &
    recorder=$!
    sleep 1
}

finish() {
    sleep 0.5
    kill -INT "$recorder"
    wait "$recorder"
    stop_all
    zstd -q -f -T0 -12 --long=27 "$work/$name.scr" -o "$out/$name.scr.zst"
    rm -f "$work/$name.scr"
    wait
    rm -rf "$work/home" "$work/run"
}

# repeat N SECONDS COMMAND...: again and again, with a rest after each.
repeat() {
    n=$1 rest=$2
    shift 2
    while [ "$n" -gt 0 ]; do
        "$@"
        sleep "$rest"
        n=$((n - 1))
    done
}

# A screen of twice the usual density: notes are typed into a web page, and it scrolls.
chart_2x() {
    desktop 2560x1600 192 none
    start chromium --no-sandbox --test-type --no-first-run --force-device-scale-factor=2 --disable-gpu --user-data-dir="$work/home/c" \
        --start-maximized --app="file://$here/chart.html"
    window Chart
    record chart_2x 'Chromium at twice the density: typing a note, scrolling a chart'
    xdotool mousemove 1400 240 click 1
    xdotool type --delay 60 'Less oedema today. Weight down 1.2 kg; continue furosemide 40 mg.'
    xdotool mousemove 1400 1100
    repeat 8 0.09 xdotool click 5
    sleep 0.4
    repeat 3 0.09 xdotool click 4
    finish
}

# A spreadsheet, dark, its letters smoothed for stripes of red, green and blue.
calc_dark() {
    desktop 1920x1080 96 rgb
    awk 'BEGIN { srand(5); print "Day,Ward,Beds,Taken,Admitted,Discharged,Mean stay,Note";
        for (i = 1; i < 400; i++) printf "%d,%s%d,%d,%d,%d,%d,%.2f,%s\n", i, substr("ABCDE", i % 5 + 1, 1), i % 9,
            20 + rand() * 20, rand() * 30, rand() * 9, rand() * 9, rand() * 8, rand() < .2 ? "isolation" : "" }' >"$work/beds.csv"
    export GTK_THEME=Adwaita:dark SAL_USE_VCLPLUGIN=gtk3
    start dbus-run-session -- soffice --calc --norestore --nologo "-env:UserInstallation=file://$work/home/lo" "$work/beds.csv"
    sleep 12
    xdotool key Return
    window 'beds.csv'
    xdotool key Escape
    xdotool windowsize "$id" 1920 1060 windowmove "$id" 0 0
    sleep 2
    xdotool mousemove 700 500
    record calc_dark 'LibreOffice Calc, dark GTK theme, subpixel letters: typing, selecting, scrolling'
    xdotool mousemove 300 520 click 1
    for value in 12 31.5 Ward 7 '=SUM(C2:C20)' 18; do
        xdotool type --delay 50 "$value"
        xdotool key Return
        sleep 0.1
    done
    repeat 12 0.05 xdotool key shift+Down
    repeat 4 0.05 xdotool key shift+Right
    xdotool key ctrl+b
    repeat 14 0.06 xdotool click 5
    repeat 5 0.06 xdotool click 4
    finish
    unset GTK_THEME SAL_USE_VCLPLUGIN
}

# A web application in the other browser.
labs_firefox() {
    desktop 1920x1080 96 none
    mkdir -p "$HOME/f"
    cat >"$HOME/f/user.js" <<PREFS
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("termsofuse.bypassNotification", true);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("app.normandy.enabled", false);
user_pref("browser.sessionstore.resume_from_crash", false);
PREFS
    start firefox-esr --no-remote --profile "$HOME/f" --width 1700 --height 960 "file://$here/labs.html"
    window 'Results'
    xdotool windowmove "$id" 60 40
    sleep 1
    record labs_firefox 'Firefox: filtering a table as one types, hovering, scrolling'
    xdotool key Tab
    xdotool mousemove 320 172 click 1
    xdotool type --delay 180 'sodium'
    sleep 0.3
    xdotool key ctrl+a BackSpace
    sleep 0.3
    for y in 300 340 375 420 470 520 560; do xdotool mousemove 700 $y; sleep 0.08; done
    repeat 10 0.1 xdotool click 5
    finish
}

# A viewer of scientific images: slices of a computed tomography, magnified, scrolled, panned, and their window moved.
ct_imagej() {
    desktop 1920x1080 96 none
    "$target/examples/phantom_raw" "$work/ct.raw" 40
    cat >"$work/open.ijm" <<MACRO
run("Appearance...", "interpolate");
run("Raw...", "open=$work/ct.raw image=[16-bit Unsigned] width=512 height=512 number=40 little-endian");
setMinAndMax(800, 1400);
setLocation(300, 20, 960, 960);
setSlice(12);
run("Brightness/Contrast...");
MACRO
    start imagej -m "$work/open.ijm"
    window 'ct.raw'
    record ct_imagej 'ImageJ: slices of a phantom at 12 bits, scaled smoothly; window, zoom, pan'
    xdotool mousemove 800 500
    repeat 12 0.1 xdotool click 5
    sleep 0.2
    bc=$(xdotool search --onlyvisible --name 'B&C' | tail -n 1)
    xdotool windowactivate --sync "$bc"
    # The thumbs of the sliders for brightness and for contrast are taken where the window has put them.
    for thumb in '57 176' '103 212'; do
        xdotool mousemove --window "$bc" ${thumb% *} ${thumb#* } mousedown 1
        repeat 10 0.08 xdotool mousemove_relative -- -2 0
        xdotool mouseup 1
    done
    xdotool windowactivate --sync "$id" mousemove 800 500
    repeat 2 0.4 xdotool key plus
    xdotool keydown space mousedown 1
    repeat 12 0.06 xdotool mousemove_relative -- -9 -5
    xdotool mouseup 1 keyup space
    finish
}

# A terminal with another face, and programs that use all of it.
tui_urxvt() {
    desktop 1680x1050 96 none
    start urxvt -fn 'xft:Hack:size=11' -bg '#1c1f26' -fg '#d8dee9' -geometry 168x50+20+20 +sb -title Terminal -e sh
    window Terminal
    record tui_urxvt 'urxvt, Hack, dark: vim scrolling and editing, two panels of mc, htop'
    xdotool type --delay 30 "vim -u NONE -c 'syntax on' /usr/share/vim/vim90/filetype.vim
"
    sleep 0.6
    repeat 4 0.15 xdotool key ctrl+f
    repeat 12 0.05 xdotool key ctrl+e
    xdotool type --delay 50 'Othe quick brown fox'
    xdotool key Escape
    xdotool type --delay 40 ':q!
'
    xdotool type --delay 30 'mc /usr/share /usr/lib
'
    sleep 0.8
    repeat 10 0.06 xdotool key Down
    xdotool key Tab
    repeat 2 0.2 xdotool key Next
    xdotool key F10
    xdotool type --delay 30 'htop -d 5
'
    sleep 1.5
    xdotool type q
    finish
}

# A document with smooth letters on white, scrolled and magnified.
pdf_evince() {
    desktop 1920x1080 96 rgb
    start chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/home/c" --no-pdf-header-footer \
        --print-to-pdf="$work/guide.pdf" "file://$here/guide.html"
    until [ -s "$work/guide.pdf" ]; do sleep 0.2; done
    sleep 1
    start dbus-run-session -- evince "$work/guide.pdf"
    window guide.pdf
    xdotool windowsize "$id" 1500 1000 windowmove "$id" 200 20
    sleep 2
    record pdf_evince 'Evince: scrolling a document, magnifying it'
    xdotool mousemove 950 600 click 1
    repeat 16 0.09 xdotool click 5
    xdotool key ctrl+plus
    sleep 0.7
    repeat 8 0.09 xdotool click 5
    repeat 2 0.4 xdotool key Next
    finish
}

[ $# -gt 0 ] || set -- chart_2x calc_dark labs_firefox ct_imagej tui_urxvt pdf_evince
for scene; do
    echo "$scene"
    "$scene"
done
