//! Byte shuffles for CPUs that have no instruction for it: byte `i` of a result is the byte that number `i` names, and 0
//! where the number is 128.

/// For each set of eight lanes, the bytes of the coming words that each lane takes; others take byte 128, which no
/// shuffle has: 0.
pub(in super::super) static EXPAND: [[u8; 16]; 256] = {
    let mut rows = [[0x80; 16]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut word) = (0, 0);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                rows[mask][2 * lane] = 2 * word;
                rows[mask][2 * lane + 1] = 2 * word + 1;
                word += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    rows
};

/// For each set of eight lanes, the byte shuffle that moves their words to the end of a vector in order.
pub(in super::super) static COMPRESS: [[u8; 16]; 256] = {
    let mut rows = [[0x80; 16]; 256];
    let mut mask = 0usize;
    while mask < 256 {
        let (mut lane, mut slot) = (0, 8 - mask.count_ones() as usize);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                rows[mask][2 * slot] = 2 * lane as u8;
                rows[mask][2 * slot + 1] = 2 * lane as u8 + 1;
                slot += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    rows
};
