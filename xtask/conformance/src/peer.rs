//! An engine in another process: a command that answers one line for each line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::question::{Answer, Question};

/// How long one answer may take. Generous: an interpreter may have to start first.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The engine could not be asked at all.
#[derive(Debug)]
pub enum PeerError {
    /// The command did not start.
    Start(std::io::Error),
}

impl std::fmt::Display for PeerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let PeerError::Start(error) = self;
        write!(f, "the adapter could not be started: {error}")
    }
}

impl std::error::Error for PeerError {}

/// An adapter's command line, run by `sh -c`.
#[derive(Clone, Debug)]
pub struct Peer {
    command: String,
}

struct Running {
    child: Child,
    answers: Receiver<String>,
}

impl Peer {
    /// An adapter that `command` starts.
    pub fn new(command: impl Into<String>) -> Peer {
        Peer { command: command.into() }
    }

    /// Asks every question. An adapter that dies or hangs on a question is started again for the next.
    ///
    /// Errors: the shell cannot be started.
    pub fn ask(&self, questions: &[Question]) -> Result<Vec<Answer>, PeerError> {
        let mut answers = Vec::with_capacity(questions.len());
        while answers.len() < questions.len() {
            let left = &questions[answers.len()..];
            let mut running = self.start(left)?;
            running.collect(left.len(), &mut answers);
            // It has nothing more to say: it answered everything, died or hangs.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        Ok(answers)
    }

    fn start(&self, questions: &[Question]) -> Result<Running, PeerError> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {}", self.command)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(PeerError::Start)?;
        let lines: Vec<String> = questions.iter().map(Question::line).collect();
        if let Some(mut input) = child.stdin.take() {
            std::thread::spawn(move || {
                for line in lines {
                    // A broken pipe means that it died, which its missing answer tells.
                    if writeln!(input, "{line}").and_then(|()| input.flush()).is_err() {
                        return;
                    }
                }
            });
        }
        let (sender, answers) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Running { child, answers })
    }
}

impl Running {
    /// Takes up to `count` answers; the last may be that there is none.
    fn collect(&mut self, count: usize, answers: &mut Vec<Answer>) {
        for _ in 0..count {
            let answer = match self.answers.recv_timeout(ANSWER_MAX) {
                Ok(line) => serde_json::from_str(&line)
                    .unwrap_or_else(|error| Answer::Died(format!("answers what is no answer ({error}): {line}"))),
                Err(RecvTimeoutError::Timeout) => Answer::Died("does not come to an end".to_owned()),
                Err(RecvTimeoutError::Disconnected) => Answer::Died("dies".to_owned()),
            };
            let is_dead = matches!(answer, Answer::Died(_));
            answers.push(answer);
            if is_dead {
                return;
            }
        }
    }
}
