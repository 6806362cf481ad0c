//! Tests of jobs, their age and their files.

use std::fs;

use super::*;
use crate::serve::Opened;

fn at(seconds: i64) -> Time {
    Time::from_micros(1_780_000_000_000_000 + seconds * 1_000_000)
}

fn question(number: usize) -> Question {
    let entity_path = format!("o-exampleorgid/r-ex4m/ou-ex4m-{number:08}");
    Question::Organizations { entity_path, organizations_policy_id: None }
}

fn add(jobs: &mut Jobs, number: usize, now: Time) -> Uuid {
    let dates = JobDates { creation: now, completion: now };
    jobs.add(question(number), dates, format!("digest {number}")).unwrap()
}

fn open(directory: &std::path::Path) -> (Jobs, Vec<String>) {
    let Opened { store, jobs, set_aside } = Store::open(directory).unwrap();
    (Jobs::stored(store, jobs), set_aside)
}

#[test]
fn a_job_is_forgotten_after_a_week_and_its_file_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut jobs, _) = open(directory.path());
    let old = add(&mut jobs, 1, at(0));
    let week = 7 * 86_400;
    assert!(jobs.get(old, at(week)).is_some());
    assert!(jobs.get(old, at(week + 1)).is_none());
    add(&mut jobs, 2, at(week + 1));
    assert_eq!(jobs.by_age.len(), 1);
    let files = fs::read_dir(directory.path()).unwrap();
    assert_eq!(files.filter(|it| it.as_ref().unwrap().file_name() != "lock").count(), 1);
}

#[test]
fn of_too_many_jobs_the_oldest_go() {
    let mut jobs = Jobs::default();
    let first = add(&mut jobs, 0, at(0));
    let second = add(&mut jobs, 1, at(0));
    for number in 2..=MOST_JOBS {
        add(&mut jobs, number, at(1));
    }
    assert!(jobs.get(first, at(1)).is_none() && jobs.recent(&question(0), at(1)).is_none());
    assert!(jobs.get(second, at(1)).is_some());
    assert_eq!((jobs.by_age.len(), jobs.by_id.len()), (MOST_JOBS, MOST_JOBS));
    assert_eq!(jobs.by_question.len(), MOST_JOBS);
}

#[test]
fn a_younger_job_of_the_same_question_is_not_forgotten_with_the_older_one() {
    let mut jobs = Jobs::default();
    add(&mut jobs, 1, at(0));
    let young = add(&mut jobs, 1, at(7 * 86_400 - 10));
    add(&mut jobs, 2, at(7 * 86_400 + 1));
    assert_eq!(jobs.by_age.len(), 2);
    assert_eq!(jobs.recent(&question(1), at(7 * 86_400)).map(|job| job.id), Some(young));
}

#[test]
fn two_programs_do_not_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (jobs, _) = open(directory.path());
    let error = Store::open(directory.path()).unwrap_err();
    assert!(matches!(error, StateError::InUse(_)), "{error}");
    drop(jobs);
    Store::open(directory.path()).unwrap();
}

#[test]
fn a_damaged_file_is_passed_over_and_named_and_a_newer_one_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (mut jobs, _) = open(directory.path());
    let ids: Vec<Uuid> = (0..4).map(|number| add(&mut jobs, number, at(0))).collect();
    drop(jobs);
    let file = |at: usize| directory.path().join(format!("job-{}.json", ids[at]));
    let whole = fs::read_to_string(file(0)).unwrap();
    fs::write(file(1), whole.split_at(whole.len() / 2).0).unwrap();
    fs::write(file(2), &whole).unwrap();
    fs::write(directory.path().join(".job-abcdef"), "of a program that was killed").unwrap();
    fs::write(directory.path().join("notes.txt"), "somebody's").unwrap();
    let (jobs, set_aside) = open(directory.path());
    assert_eq!(set_aside.len(), 2, "{set_aside:?}");
    assert!(set_aside.iter().any(|it| it.contains("EOF")), "{set_aside:?}");
    assert!(set_aside.iter().any(|it| it.contains("is another job's")), "{set_aside:?}");
    assert!(jobs.get(ids[0], at(0)).is_some() && jobs.get(ids[3], at(0)).is_some());
    assert!(jobs.get(ids[1], at(0)).is_none() && jobs.get(ids[2], at(0)).is_none());
    assert!(!directory.path().join(".job-abcdef").exists());
    assert!(directory.path().join("notes.txt").exists());
    drop(jobs);
    fs::write(file(3), whole.replace("\"FormatVersion\":1", "\"FormatVersion\":2")).unwrap();
    let error = Store::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("format 2 is newer"), "{error}");
}

#[test]
fn what_is_stored_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let (mut jobs, _) = open(directory.path());
    let arn = "arn:aws:iam::111122223333:role/Bäcker \"\u{202e}".to_owned();
    let question = Question::service(arn, Granularity::ActionLevel);
    let dates = JobDates { creation: at(0), completion: at(5) };
    let id = jobs.add(question.clone(), dates, "d".to_owned()).unwrap();
    drop(jobs);
    let (jobs, _) = open(directory.path());
    let job = jobs.get(id, at(1)).unwrap();
    assert_eq!((&job.question, job.dates, job.digest.as_str()), (&question, dates, "d"));
    assert!(!job.is_of_this_run && job.is_in_progress(at(4)) && !job.is_in_progress(at(5)));
}
