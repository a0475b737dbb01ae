# The smallest bridge: what agents say is printed, and echoed back as if somebody had said it.
import json, sys
say = lambda **message: print(json.dumps(message), flush=True)
say(op="hello", contract=1, name="hello")
for line in sys.stdin:
    told = json.loads(line)
    if told["event"] == "deliver":
        print(f'{told["from"]} says {told.get("text")}', file=sys.stderr)
        say(op="receive", id="echo " + told["id"], chat=told["chat"], user="me", text=f'you said {told.get("text")}')
        say(op="delivered", delivery=told["id"])
