"""An app on Slack's own client, for the proof that the sandbox is what that client takes for Slack.

Started by the example `proof`, which plays the people. Each side asserts what it sees; this one ends with 0
only when everything it waits for has happened.
"""

import os
import sys
import threading
import traceback

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import (
    ActionsBlock, ButtonElement, ExternalDataSelectElement, InputBlock, Option, PlainTextInputElement, SectionBlock,
)
from slack_sdk.models.views import View
from slack_sdk.webhook import WebhookClient

URL = os.environ["SLACK_API_URL"]
SEEN = set()
FAILED = []
DONE = threading.Event()


def proves(what):
    """Marks a listener: its failure fails the proof, its success is remembered."""
    def wrap(listener):
        def run(**given):
            try:
                listener(**given)
                SEEN.add(what)
                print(f"python: {what}", flush=True)
            except Exception:
                traceback.print_exc()
                FAILED.append(what)
        # bolt gives the arguments that the signature names.
        run.__signature__ = __import__("inspect").signature(listener)
        return run
    return wrap


def refused(call, error):
    """The answer to a call that Slack refuses with this error."""
    try:
        call()
    except SlackApiError as refusal:
        assert refusal.response["error"] == error, refusal.response.data
        return refusal.response
    raise AssertionError(f"not refused with {error}")


def order_form(note=None):
    return View(
        type="modal", callback_id="order", title="Order", submit="Send", close="Cancel", private_metadata="kept",
        blocks=[
            InputBlock(block_id="what", label="What", element=ExternalDataSelectElement(
                action_id="what", min_query_length=0, placeholder="Search")),
            InputBlock(block_id="note", label="Note", element=PlainTextInputElement(
                action_id="note", multiline=True, initial_value=note)),
        ],
    )


def check_web_api(client):
    me = client.auth_test()
    assert me["user_id"] == "U0BOT" and "chat:write" in me.headers["x-oauth-scopes"], me.data
    assert client.api_test(foo="bar")["args"]["foo"] == "bar"
    ana = client.users_info(user="U01")["user"]
    assert ana["real_name"] == "Ana Lopez" and ana["profile"]["email"] == "ana@example.org", ana
    refused(lambda: client.users_info(user="U99"), "user_not_found")
    refused(lambda: WebClient(token="xoxb-other", base_url=URL).auth_test(), "invalid_auth")
    refused(lambda: WebClient(base_url=URL).auth_test(), "not_authed")
    refused(lambda: client.api_call("no.such"), "unknown_method")

    channel = client.conversations_open(users="U01")["channel"]["id"]
    assert client.conversations_open(users=["U01"])["channel"]["id"] == channel
    assert client.chat_postMessage(channel=channel, text="by id")["channel"] == channel
    assert client.chat_postMessage(channel="U01", text="by person")["channel"] == channel
    first = client.chat_postMessage(channel="#wood", text="first", metadata={
        "event_type": "proof", "event_payload": {"n": 1}})
    reply = client.chat_postMessage(
        channel=first["channel"], text="reply", thread_ts=first["ts"], reply_broadcast=True)
    assert reply["message"]["thread_ts"] == first["ts"], reply.data
    assert client.chat_update(channel=first["channel"], ts=first["ts"], text="second")["text"] == "second"
    client.chat_postEphemeral(channel="#wood", user="U01", text="only you")
    refused(lambda: client.chat_postMessage(channel="#nowhere", text="x"), "channel_not_found")
    refused(lambda: client.chat_postMessage(channel="#private", text="x"), "not_in_channel")
    refused(lambda: client.chat_postMessage(channel="#old", text="x"), "is_archived")
    refused(lambda: client.chat_postMessage(channel=channel), "no_text")
    bad = refused(lambda: client.chat_update(channel=first["channel"], ts=first["ts"], text="x", blocks=[
        {"type": "section", "text": {"type": "mrkdwn", "text": ""}}]), "invalid_blocks")
    assert "[json-pointer:/blocks/0/text/text]" in bad["response_metadata"]["messages"][0], bad.data
    late = refused(lambda: [client.chat_postMessage(channel="#wood", text=f"fast {n}") for n in range(5)], "ratelimited")
    assert late.status_code == 429 and int(late.headers["Retry-After"]) >= 1

    home = client.views_publish(user_id="U01", view={"type": "home", "blocks": [
        SectionBlock(text="Welcome").to_dict()]})["view"]
    refused(lambda: client.views_publish(user_id="U01", hash="other", view={"type": "home", "blocks": []}),
            "hash_conflict")
    assert home["type"] == "home" and home["blocks"][0]["block_id"], home
    refused(lambda: client.views_open(trigger_id="1.2.3", view=order_form()), "invalid_trigger_id")
    print("python: web api", flush=True)


def listen(app):
    @app.command("/order")
    @proves("command")
    def order(ack, command, client, respond):
        ack()
        assert command["user_name"] == "ana" and command["channel_name"] == "wood", command
        view = client.views_open(trigger_id=command["trigger_id"], view=order_form())["view"]
        assert view["state"]["values"]["note"]["note"]["type"] == "plain_text_input", view
        refused(lambda: client.views_open(trigger_id=command["trigger_id"], view=order_form()), "exchanged_trigger_id")
        stale = view["hash"]
        client.views_update(view_id=view["id"], hash=stale, view=order_form("typed for you"))
        refused(lambda: client.views_update(view_id=view["id"], hash=stale, view=order_form()), "hash_conflict")
        assert respond(text="Fill in the form").status_code == 200

    @app.options("what")
    @proves("options")
    def what(ack, payload, body):
        assert body["view"]["callback_id"] == "order" and payload["value"] == "oak", body
        ack(options=[Option(value="7", text="Oak board").to_dict()])

    @app.view("order")
    @proves("submission")
    def submitted(ack, view, client, body):
        values = view["state"]["values"]
        assert values["what"]["what"]["selected_option"]["text"]["text"] == "Oak board", values
        if values["note"]["note"]["value"] == "bad":
            return ack(response_action="errors", errors={"note": "Say more"})
        ack()
        client.chat_postMessage(channel="#metal", text="Ordered", blocks=[
            SectionBlock(text="*Ordered*"),
            ActionsBlock(elements=[ButtonElement(action_id="done", value="7", text="Done")])])

    @app.action("done")
    @proves("button")
    def done(ack, action, body, respond):
        ack()
        assert action["value"] == "7" and body["container"]["type"] == "message", body
        respond(text="Done by bo", replace_original=True)
        url = WebhookClient(body["response_url"])
        answers = [url.send(text=f"answer {n}").status_code for n in range(5)]
        assert answers == [200, 200, 200, 200, 404], answers

    @app.event("message")
    @proves("event")
    def message(event, say):
        assert event["text"] == "hello" and event["user"] == "U02", event
        say(text="hello to you", thread_ts=event["ts"])

    @app.event("reaction_added")
    @proves("reaction")
    def reaction(event):
        assert event["reaction"] == "eyes" and event["item"]["channel"] == "C04", event

    @app.command("/again")
    @proves("reconnected")
    def again(ack):
        ack("still here")

    @app.shortcut("quick")
    @proves("shortcut")
    def shortcut(ack, shortcut, client):
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view={
            "type": "modal", "title": {"type": "plain_text", "text": "Quick"}, "blocks": [], "notify_on_close": True})

    @app.view_closed("")
    @proves("closed")
    def closed(ack):
        ack()

    @app.command("/finish")
    def finish(ack):
        ack("bye")
        # The acknowledgement leaves when this listener has returned.
        threading.Timer(1, DONE.set).start()


def main():
    client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=URL)
    check_web_api(client)
    app = App(client=client, token=os.environ["SLACK_BOT_TOKEN"], process_before_response=False)
    listen(app)
    handler = SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"], web_client=client, ping_interval=1)
    handler.connect()
    finished = DONE.wait(timeout=90)
    handler.close()
    wanted = {"command", "options", "submission", "button", "event", "reaction", "reconnected", "shortcut", "closed"}
    missing = wanted - SEEN
    print(f"python: finished={finished} failed={FAILED} missing={sorted(missing)}", flush=True)
    sys.exit(0 if finished and not FAILED and not missing else 1)


if __name__ == "__main__":
    main()
