//! Work shared among boards of one kind: which board does what next.
//!
//! A state machine without I/O. A board goes on with the image that it has, as long as there is work for it; flashing
//! costs more than most scenarios. What a board could not finish goes back and is done by another one: but not by one
//! after another, so that one bad scenario does not wedge a whole rack.

use std::collections::BTreeMap;

/// From so many boards a task may be given back: whoever wedges the second one is not tried on a third.
const BOARDS_MAX: u32 = 2;

/// What a board does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The task of this index.
    Task(usize),
    /// Nothing now; but another board may yet give something back.
    Wait,
    /// Nothing any more.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Finished,
}

/// The tasks of a run, each with the image that it needs.
#[derive(Clone, Debug)]
pub struct Queue {
    images: Vec<String>,
    states: Vec<State>,
    given_back: Vec<u32>,
    is_closed: bool,
}

impl Queue {
    /// Tasks by the names of their images.
    pub fn new(images: Vec<String>) -> Self {
        let count = images.len();
        Self { images, states: vec![State::Waiting; count], given_back: vec![0; count], is_closed: false }
    }

    /// What a board does next that has `image` in its flash, if any, and can do what `can` says.
    pub fn take(&mut self, image: Option<&str>, can: impl Fn(usize) -> bool) -> Next {
        if self.is_closed {
            return Next::Over;
        }
        let waiting: Vec<usize> =
            (0..self.states.len()).filter(|&index| self.states[index] == State::Waiting && can(index)).collect();
        let own = waiting.iter().copied().find(|&index| Some(self.images[index].as_str()) == image);
        match own.or_else(|| self.of_the_fullest(&waiting)) {
            Some(index) => {
                self.states[index] = State::Running;
                Next::Task(index)
            }
            None if self.states.iter().enumerate().any(|(index, state)| *state == State::Running && can(index)) => {
                Next::Wait
            }
            None => Next::Over,
        }
    }

    /// The first task of the image for which most work is left.
    fn of_the_fullest(&self, waiting: &[usize]) -> Option<usize> {
        let mut left: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for &index in waiting.iter().rev() {
            let (count, first) = left.entry(&self.images[index]).or_default();
            *count += 1;
            *first = index;
        }
        left.into_values().max_by_key(|&(count, first)| (count, usize::MAX - first)).map(|(_, first)| first)
    }

    /// The task has an outcome.
    pub fn finish(&mut self, index: usize) {
        if let Some(state) = self.states.get_mut(index) {
            *state = State::Finished;
        }
    }

    /// The board is wedged, and the task has no outcome; `false`: nor will it get one.
    pub fn give_back(&mut self, index: usize) -> bool {
        let (Some(state), Some(given_back)) = (self.states.get_mut(index), self.given_back.get_mut(index)) else {
            return false;
        };
        *given_back += 1;
        let again = *given_back < BOARDS_MAX;
        *state = if again { State::Waiting } else { State::Finished };
        again
    }

    /// The board is out before anything of the task was tried.
    pub fn put_back(&mut self, index: usize) -> bool {
        if let Some(state) = self.states.get_mut(index) {
            *state = State::Waiting;
        }
        true
    }

    /// Nothing new begins any more.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// What was never begun, or begun and given back.
    pub fn left(&self) -> impl Iterator<Item = usize> {
        self.states.iter().enumerate().filter(|(_, state)| **state == State::Waiting).map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(images: &[&str]) -> Queue {
        Queue::new(images.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_board_goes_on_with_the_image_that_it_has() {
        let mut queue = queue(&["a", "b", "a", "b", "b"]);
        assert_eq!(queue.take(None, |_| true), Next::Task(1), "most work is left for b");
        assert_eq!(queue.take(Some("a"), |_| true), Next::Task(0));
        assert_eq!(queue.take(Some("b"), |_| true), Next::Task(3));
        assert_eq!(queue.take(Some("a"), |_| true), Next::Task(2));
        assert_eq!(queue.take(Some("a"), |_| true), Next::Task(4), "and then it helps");
        assert_eq!(queue.take(Some("a"), |_| true), Next::Wait);
    }

    #[test]
    fn what_a_wedged_board_leaves_is_done_by_its_twin_but_not_by_a_third() {
        let mut queue = queue(&["a"]);
        assert_eq!(queue.take(None, |_| true), Next::Task(0));
        assert_eq!(queue.take(None, |_| true), Next::Wait);
        assert!(queue.give_back(0));
        assert_eq!(queue.take(None, |_| true), Next::Task(0));
        assert!(!queue.give_back(0));
        assert_eq!(queue.take(None, |_| true), Next::Over);
    }

    #[test]
    fn a_board_takes_only_what_it_can_do_and_waits_for_nothing_else() {
        let mut queue = queue(&["a", "a"]);
        assert_eq!(queue.take(None, |index| index == 1), Next::Task(1));
        assert_eq!(queue.take(None, |index| index == 0), Next::Task(0));
        queue.finish(0);
        assert_eq!(queue.take(None, |index| index == 0), Next::Over);
        assert_eq!(queue.take(None, |index| index == 1), Next::Wait);
    }

    #[test]
    fn what_was_not_begun_when_it_closed_is_left() {
        let mut queue = queue(&["a", "a", "a"]);
        assert_eq!(queue.take(None, |_| true), Next::Task(0));
        queue.close();
        assert_eq!(queue.take(None, |_| true), Next::Over);
        queue.finish(0);
        assert_eq!(queue.left().collect::<Vec<_>>(), [1, 2]);
    }
}
