//! Processor time: on a machine that others use, the only time that says what a lane costs.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread has used so far.
pub fn thread_time() -> Duration {
    used(ClockId::ThreadCPUTime)
}

/// What all threads of this process have used so far.
pub fn process_time() -> Duration {
    used(ClockId::ProcessCPUTime)
}

fn used(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).expect("processor time begins at zero"),
        u32::try_from(time.tv_nsec).expect("a part of a second is below a billion"),
    )
}

#[cfg(test)]
mod tests {
    use super::thread_time;

    #[test]
    fn work_takes_time_and_sleep_does_not() {
        let began = thread_time();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!((thread_time() - began).as_millis() < 40);
        let began = thread_time();
        let mut sum = 0_u64;
        while (thread_time() - began).as_micros() < 100 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }
}
