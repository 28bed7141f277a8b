//! Logs in as a staff user like a browser, and sends forms. Called by `measure::pages` and `lanes`.

use crate::esb::Installation;
use crate::http1::{Answer, Connection};
use anyhow::Context;

const NAME: &str = "bench";
const PASSWORD: &str = "a password for bench";

/// The cookies of a logged-in user, as one header value.
pub async fn cookies(installation: &Installation) -> anyhow::Result<String> {
    installation.run(&["seed-admin", NAME, "bench@example.org", "--password", PASSWORD])?;
    let mut connection = Connection::open(installation.web).await?;
    let form = connection.ask(b"GET /login HTTP/1.1\r\nhost: localhost:5000\r\n\r\n").await?;
    let browser = cookie(&form).context("the form sets no cookie")?;
    let token = csrf_token(&form)?;
    let body = format!("csrf_token={token}&username={NAME}&password={}", PASSWORD.replace(' ', "+"));
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: localhost:5000\r\ncookie: {browser}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = connection.ask(request.as_bytes()).await?;
    anyhow::ensure!(answer.status() == 303, "logging in answers {}", answer.status());
    let session = cookie(&answer).context("logging in sets no cookie")?;
    Ok(format!("{browser}; {session}"))
}

/// Sends a page's form with only its token. Returns the page of the response.
pub async fn send_form(
    connection: &mut Connection,
    cookies: &str,
    page: &str,
    action: &str,
) -> anyhow::Result<String> {
    let request = format!("GET {page} HTTP/1.1\r\nhost: localhost:5000\r\ncookie: {cookies}\r\n\r\n");
    let form = connection.ask(request.as_bytes()).await?;
    anyhow::ensure!(form.status() == 200, "{page} answers {}", form.status());
    let body = format!("csrf_token={}", csrf_token(&form)?);
    let request = format!(
        "POST {action} HTTP/1.1\r\nhost: localhost:5000\r\ncookie: {cookies}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = connection.ask(request.as_bytes()).await?;
    anyhow::ensure!(answer.status() == 200, "{action} answers {}", answer.status());
    Ok(std::str::from_utf8(answer.body)?.to_owned())
}

/// The token of a page's form, as forms send it.
fn csrf_token(page: &Answer<'_>) -> anyhow::Result<String> {
    let token = hidden(std::str::from_utf8(page.body)?, "csrf_token").context("the form has no token")?;
    // From HTML encoding to form encoding.
    Ok(token.replace("&#x3D;", "%3D").replace('+', "%2B"))
}

fn cookie(answer: &Answer<'_>) -> Option<String> {
    answer.header("set-cookie")?.split(';').next().map(str::to_owned)
}

fn hidden<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_input_is_found() {
        let page = "<input type=\"hidden\" name=\"csrf_token\" value=\"abc.def\">";
        assert_eq!(hidden(page, "csrf_token"), Some("abc.def"));
        assert_eq!(hidden(page, "request_id"), None);
    }
}
