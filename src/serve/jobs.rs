//! Jobs: what was asked, and when. A job's report is not kept, but made whenever it is asked for.

use std::collections::VecDeque;

use chrono::TimeDelta;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::state::{StateError, Store};
use crate::report::JobDates;
use crate::report::service::Granularity;
use crate::time::Time;

/// For so long the same request gives the same job.
const SAME_REQUEST: TimeDelta = TimeDelta::seconds(60);

/// So long a job is kept.
const KEPT: TimeDelta = TimeDelta::days(7);

/// So many jobs are kept; the oldest ones go first.
const MOST_JOBS: usize = 100_000;

/// What a job reports on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Question {
    /// `GenerateOrganizationsAccessReport`.
    #[serde(rename_all = "PascalCase")]
    Organizations {
        /// `EntityPath`, without a trailing slash.
        entity_path: String,
        /// `OrganizationsPolicyId`.
        organizations_policy_id: Option<String>,
    },
    /// `GenerateServiceLastAccessedDetails`.
    #[serde(rename_all = "PascalCase")]
    Service {
        /// `Arn`.
        arn: String,
        /// Whether `Granularity` is `ACTION_LEVEL`.
        action_level: bool,
    },
}

impl Question {
    /// Returns that of `GenerateServiceLastAccessedDetails`.
    pub fn service(arn: String, granularity: Granularity) -> Self {
        Self::Service { arn, action_level: granularity == Granularity::ActionLevel }
    }

    /// Returns `Granularity`, of what has one.
    pub const fn granularity(&self) -> Option<Granularity> {
        match self {
            Self::Organizations { .. } => None,
            Self::Service { action_level: true, .. } => Some(Granularity::ActionLevel),
            Self::Service { action_level: false, .. } => Some(Granularity::ServiceLevel),
        }
    }
}

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// `JobId`.
    pub id: Uuid,
    /// What was asked.
    pub question: Question,
    /// `JobCreationDate`, and from when on it is completed.
    pub dates: JobDates,
    /// Tells the answer from others.
    pub digest: String,
    /// Whether it is this program's run that answered it. One that answered other facts may have
    /// answered otherwise.
    pub is_of_this_run: bool,
}

impl Job {
    /// Returns whether it is still in progress.
    pub fn is_in_progress(&self, now: Time) -> bool {
        now < self.dates.completion
    }
}

/// The jobs that can be asked for.
#[derive(Debug, Default)]
pub struct Jobs {
    by_id: HashMap<Uuid, Job>,
    /// The last job of each question.
    by_question: HashMap<Question, Uuid>,
    // INVARIANT: the ids of all jobs, the oldest first.
    by_age: VecDeque<Uuid>,
    store: Option<Store>,
}

impl Jobs {
    /// Returns the jobs of a store, in which new ones are put.
    pub fn stored(store: Store, mut jobs: Vec<Job>) -> Self {
        jobs.sort_by_key(|job| (job.dates.creation, job.id));
        let mut stored = Self::default();
        jobs.into_iter().for_each(|job| stored.insert(job));
        stored.store = Some(store);
        stored
    }

    /// Returns the job of this id.
    pub fn get(&self, id: Uuid, now: Time) -> Option<&Job> {
        self.by_id.get(&id).filter(|job| !is_expired(job, now))
    }

    /// Returns the job of the same question, if it is young enough to answer a new request.
    pub fn recent(&self, question: &Question, now: Time) -> Option<&Job> {
        let job = self.by_id.get(self.by_question.get(question)?)?;
        (now < job.dates.creation.plus(SAME_REQUEST)).then_some(job)
    }

    /// Returns the organizations job that is in progress, of which IAM allows one (O10).
    pub fn running_organizations(&self, now: Time) -> Option<&Job> {
        let young_first = self.by_age.iter().rev().filter_map(|id| self.by_id.get(id));
        young_first
            .take_while(|job| job.is_in_progress(now))
            .find(|job| matches!(job.question, Question::Organizations { .. }))
    }

    /// Adds a job and returns its id.
    ///
    /// # Errors
    ///
    /// [`StateError`] if it cannot be stored; then there is no such job.
    pub fn add(
        &mut self,
        question: Question,
        dates: JobDates,
        digest: String,
    ) -> Result<Uuid, StateError> {
        let id = Uuid::new_v4();
        let job = Job { id, question, dates, digest, is_of_this_run: true };
        if let Some(store) = &self.store {
            store.save(&job)?;
        }
        self.insert(job);
        self.forget(dates.creation);
        Ok(id)
    }

    /// Says that a job was answered anew, by this run, at `now`, if its answer is another one.
    ///
    /// # Errors
    ///
    /// [`StateError`] if that cannot be stored.
    pub fn answered(&mut self, id: Uuid, digest: &str, now: Time) -> Result<(), StateError> {
        let Some(job) = self.by_id.get_mut(&id) else { return Ok(()) };
        job.is_of_this_run = true;
        if job.digest != digest {
            digest.clone_into(&mut job.digest);
            job.dates.completion = now;
            if let Some(store) = &self.store {
                store.save(job)?;
            }
        }
        Ok(())
    }

    fn insert(&mut self, job: Job) {
        self.by_age.push_back(job.id);
        self.by_question.insert(job.question.clone(), job.id);
        self.by_id.insert(job.id, job);
    }

    /// Takes away what is old.
    fn forget(&mut self, now: Time) {
        while let Some(oldest) = self.by_age.front() {
            let is_old = self.by_id.get(oldest).is_none_or(|job| is_expired(job, now));
            if !is_old && self.by_age.len() <= MOST_JOBS {
                break;
            }
            let Some(job) = self.by_age.pop_front().and_then(|id| self.by_id.remove(&id)) else {
                continue;
            };
            if self.by_question.get(&job.question).is_some_and(|id| *id == job.id) {
                self.by_question.remove(&job.question);
            }
            if let Some(store) = &self.store {
                store.remove(&job);
            }
        }
    }
}

fn is_expired(job: &Job, now: Time) -> bool {
    now > job.dates.creation.plus(KEPT)
}

#[cfg(test)]
mod tests;
