// Written by `killreport export pm2`; the next export replaces edits.
// Secrets belong into killreport.toml in KILLREPORT_HOME: PM2 shows every app's environment to who may ask it.
// There is no "autostart": false here, because PM2 then forgets the app when its daemon starts anew.
module.exports = {
  "apps": [
    {
      "name": "killreport-backend",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "killreport-backend"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "1024M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/killreport-backend-out.log",
      "error_file": "/var/lib/killreport/logs/killreport-backend-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "killreport-frontend",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "killreport-frontend"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "1024M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/killreport-frontend-out.log",
      "error_file": "/var/lib/killreport/logs/killreport-frontend-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-redisq",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-redisq"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-redisq-out.log",
      "error_file": "/var/lib/killreport/logs/worker-redisq-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "restart_delay": 5000
    },
    {
      "name": "worker-characters",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-characters"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-characters-out.log",
      "error_file": "/var/lib/killreport/logs/worker-characters-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-corporations",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-corporations"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-corporations-out.log",
      "error_file": "/var/lib/killreport/logs/worker-corporations-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-alliances",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-alliances"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-alliances-out.log",
      "error_file": "/var/lib/killreport/logs/worker-alliances-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-alliance-corporations",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-alliance-corporations"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-alliance-corporations-out.log",
      "error_file": "/var/lib/killreport/logs/worker-alliance-corporations-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-types",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-types"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-types-out.log",
      "error_file": "/var/lib/killreport/logs/worker-types-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-zkillboard",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-zkillboard"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-zkillboard-out.log",
      "error_file": "/var/lib/killreport/logs/worker-zkillboard-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "exp_backoff_restart_delay": 500
    },
    {
      "name": "worker-user-killmails",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "worker-user-killmails"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": true,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/worker-user-killmails-out.log",
      "error_file": "/var/lib/killreport/logs/worker-user-killmails-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "restart_delay": 5000
    },
    {
      "name": "queue-characters",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "queue-characters",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/queue-characters-out.log",
      "error_file": "/var/lib/killreport/logs/queue-characters-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "queue-alliances",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "queue-alliances",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/queue-alliances-out.log",
      "error_file": "/var/lib/killreport/logs/queue-alliances-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "queue-alliance-corporations",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "queue-alliance-corporations",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/queue-alliance-corporations-out.log",
      "error_file": "/var/lib/killreport/logs/queue-alliance-corporations-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 10 * * * *"
    },
    {
      "name": "queue-character-corporations",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "queue-character-corporations",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/queue-character-corporations-out.log",
      "error_file": "/var/lib/killreport/logs/queue-character-corporations-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "snapshot-alliances",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "snapshot-alliances",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/snapshot-alliances-out.log",
      "error_file": "/var/lib/killreport/logs/snapshot-alliances-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "snapshot-corporations",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "snapshot-corporations",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/snapshot-corporations-out.log",
      "error_file": "/var/lib/killreport/logs/snapshot-corporations-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "update-alliance-counts",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "update-alliance-counts",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/update-alliance-counts-out.log",
      "error_file": "/var/lib/killreport/logs/update-alliance-counts-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    },
    {
      "name": "update-rankings",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "update-rankings",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/update-rankings-out.log",
      "error_file": "/var/lib/killreport/logs/update-rankings-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 */15 * * * *"
    },
    {
      "name": "update-prices",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "update-prices",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/update-prices-out.log",
      "error_file": "/var/lib/killreport/logs/update-prices-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 30 * * * *"
    },
    {
      "name": "repair-history",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "repair-history",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/repair-history-out.log",
      "error_file": "/var/lib/killreport/logs/repair-history-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 30 * * * *"
    },
    {
      "name": "update-static-data",
      "script": "/opt/killreport/bin/python",
      "args": [
        "-m",
        "killreport",
        "run",
        "update-static-data",
        "--if-due",
        "--split-log"
      ],
      "interpreter": "none",
      "exec_mode": "fork",
      "instances": 1,
      "autorestart": false,
      "max_memory_restart": "512M",
      "kill_timeout": 15000,
      "merge_logs": true,
      "log_date_format": "YYYY-MM-DDTHH:mm:ss.SSSZ",
      "out_file": "/var/lib/killreport/logs/update-static-data-out.log",
      "error_file": "/var/lib/killreport/logs/update-static-data-error.log",
      "env": {
        "KILLREPORT_HOME": "/var/lib/killreport",
        "KILLREPORT_CONTACT": "a \"quoted\" 100 % $HOME\\name",
        "KILLREPORT_WARM_START": "false"
      },
      "cron_restart": "30 0 * * * *"
    }
  ]
};
