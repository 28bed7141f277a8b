//! `/esb-report` through Slack: command, modal, submission, messages, board.

use crate::support::app::{ANA, TestApp, only};
use esb::domain::board::BoardStatus;
use esb::ops::board::board;
use esb_sandbox::Submitted;

#[tokio::test]
async fn a_report_reaches_the_record_the_channels_and_the_board() {
    let (app, saw) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table SAW").await;
    let view = app.slack.top_view(ANA).unwrap();
    assert_eq!(view.callback_id(), "report_problem");
    app.slack.fill(ANA, "description", "Belt slips").await.unwrap();
    app.slack.choose(ANA, "severity", "Down").await.unwrap();
    assert!(matches!(app.slack.submit(ANA).await.unwrap(), Submitted::Cleared));
    app.settle().await;

    let wood = only(app.slack.posted_in("#woodshop"));
    let oops = only(app.slack.posted_in("#oops"));
    for message in [&wood, &oops] {
        assert!(
            message.text.starts_with(":rotating_light: New report: *Table saw* (Wood shop)"),
            "{}",
            message.text
        );
        assert!(message.text.contains("Belt slips") && message.text.contains("Ana Lee"));
    }
    let answer = app.private(ANA);
    assert!(answer.starts_with(":white_check_mark:") && answer.contains("repair #1"), "{answer}");
    assert!(answer.contains(&format!("<http://esb.test/e/{saw}|")));
    let machine = board(&app.app.ctx).await.unwrap().areas[0].machines[0].clone();
    assert_eq!(machine.status, BoardStatus::Down);
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}
