//! What the product promises, kept by its own program among real daemons, receivers and browsers. One program: each more
//! would be linked with everything for itself.

mod agent;
mod agent_values;
mod alerta;
mod alertmanager;
mod calm;
mod clients;
mod clock;
mod cloudevents;
mod crash;
mod deliveries;
mod drill;
mod heartbeats;
mod import;
mod inventory;
mod libraries;
mod listened;
mod live;
mod load;
mod measures;
mod mirrors;
mod nagios;
mod path;
mod placed;
mod scenario;
mod secrets;
mod slow;
mod syslog;
mod trouble;
mod watchman;
mod zabbix;
