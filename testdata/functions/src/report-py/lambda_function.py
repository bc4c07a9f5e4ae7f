"""A function that fetches a report and passes it on."""
import os

import requests


def handler(event, context):
    answer = requests.get(os.environ["REPORT_URL"], params={"day": event["day"]}, timeout=10)
    answer.raise_for_status()
    return answer.json()
