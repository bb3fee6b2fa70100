"""All that changes stored killmails and what is counted of them; nothing else inserts, corrects or removes one."""
